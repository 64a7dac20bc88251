"""Line up a contrast phase with the reference phase: rigid, then B-spline (SimpleITK).

Intensities differ between phases, so mutual information drives both steps (Mattes et al. 2003,
doi:10.1109/TMI.2003.809072; B-spline: Rueckert et al. 1999, doi:10.1109/42.796284). Quality is
judged by something the optimizer has not seen: how well edges coincide in the region.
Sampling is seeded and one thread is used, so the same input gives the same result.
"""

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.errors import RegistrationError
from engine.values.geometry import VolumeGeometry

AIR_HU = -1000
WORKING_SPACING_MM = 3.0
MARGIN_MM = 30.0
CONTROL_SPACING_MM = 50.0
HISTOGRAM_BINS = 32
SAMPLING = 0.10
SPLINE_ITERATIONS = 12
SEED = 20240
WINDOW_HU = (-150.0, 300.0)
EDGE_SIGMA_MM = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationQuality:
    """How well two phases lie on each other in the region.

    Attributes:
        edge_correlation: Correlation of the gradient magnitudes after registration, −1..1.
        edge_correlation_before: The same before.
        least_jacobian: Least volume ratio of the deformation in the region; at most 0 where
            it folds.
        largest_shift_mm: Largest displacement in the region.
    """

    edge_correlation: float
    edge_correlation_before: float
    least_jacobian: float
    largest_shift_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPhase:
    """A phase on the reference grid.

    Attributes:
        voxels_hu: Intensities on the reference grid; air where the phase has no data.
        covered: Where the phase has data.
        quality: How well it fits.
    """

    voxels_hu: NDArray[np.int16] = field(repr=False)
    covered: NDArray[np.bool_] = field(repr=False)
    quality: RegistrationQuality


def register_phase(
    reference: tuple[NDArray[np.int16], VolumeGeometry],
    phase: tuple[NDArray[np.int16], VolumeGeometry],
    region: NDArray[np.bool_],
    *,
    least_edge_correlation: float = 0.4,
) -> RegisteredPhase:
    """Bring a phase onto the grid of the reference phase.

    Args:
        reference: Intensities and grid of the reference phase.
        phase: Intensities and grid of the phase to move.
        region: The liver on the reference grid; what is lined up is it and 30 mm around it.
        least_edge_correlation: Below this the result is refused.

    Raises:
        RegistrationError: The region is empty, the phase does not cover it, the deformation
            folds or the edges do not coincide well enough.
    """
    if region.shape != reference[1].shape or not region.any():
        raise RegistrationError("Registration needs the liver on the grid of the reference phase")
    fixed_full, moving_full = (_to_image(*volume) for volume in (reference, phase))
    mask_full = _to_image(region.astype(np.uint8), reference[1])
    grid = _working_grid(region, reference[1])
    fixed, moving = (_window(i) for i in (fixed_full, moving_full))
    fixed = sitk.Resample(fixed, grid, sitk.Transform(), sitk.sitkLinear, WINDOW_HU[0])
    mask = sitk.Resample(mask_full, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    before = _edge_correlation(fixed, moving, mask, sitk.Transform(3, sitk.sitkIdentity))
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        rigid = _register_rigid(fixed, moving)
        transform = _register_spline(fixed, moving, rigid)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RegistrationError(f"The phases do not overlap enough: {reason}") from None
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    quality = _judge(fixed, moving, mask, transform, before)
    if quality.least_jacobian <= 0 or quality.edge_correlation < least_edge_correlation:
        raise RegistrationError(
            f"The phase does not fit the reference: edge correlation "
            f"{quality.edge_correlation:.2f} (at least {least_edge_correlation:.2f}), least volume "
            f"ratio {quality.least_jacobian:.2f} (above 0)"
        )
    moved = sitk.Resample(moving_full, fixed_full, transform, sitk.sitkLinear, AIR_HU)
    inside = sitk.Image(moving_full.GetSize(), sitk.sitkUInt8) + 1
    inside.CopyInformation(moving_full)
    covered = sitk.Resample(inside, fixed_full, transform, sitk.sitkNearestNeighbor, 0)
    return RegisteredPhase(
        voxels_hu=sitk.GetArrayFromImage(moved).astype(np.int16),
        covered=sitk.GetArrayFromImage(covered) > 0,
        quality=quality,
    )


def _to_image(voxels: NDArray[np.generic], geometry: VolumeGeometry) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(geometry.spacing.as_tuple()[::-1])
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.directions[:, ::-1].flatten().tolist())
    return image


def _window(image: sitk.Image) -> sitk.Image:
    return sitk.Clamp(sitk.Cast(image, sitk.sitkFloat32), sitk.sitkFloat32, *WINDOW_HU)


def _working_grid(region: NDArray[np.bool_], geometry: VolumeGeometry) -> sitk.Image:
    """Coarse grid around the region, parallel to the reference grid."""
    spacing = np.array(geometry.spacing.as_tuple())
    where = np.argwhere(region)
    low = np.maximum(where.min(axis=0) - MARGIN_MM / spacing, 0)
    high = np.minimum(where.max(axis=0) + MARGIN_MM / spacing, np.array(region.shape) - 1)
    size = np.maximum(np.ceil((high - low) * spacing / WORKING_SPACING_MM).astype(int) + 1, 4)
    grid = sitk.Image([int(n) for n in size[::-1]], sitk.sitkFloat32)
    grid.SetSpacing([WORKING_SPACING_MM] * 3)
    grid.SetOrigin(geometry.to_patient(low).tolist())
    grid.SetDirection(geometry.directions[:, ::-1].flatten().tolist())
    return grid


def _method(shrink: list[int]) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(HISTOGRAM_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(SAMPLING, SEED)
    method.MetricUseFixedImageGradientFilterOff()
    method.MetricUseMovingImageGradientFilterOff()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel([float(s - 1) for s in shrink])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    return method


def _register_rigid(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """Rotation and shift; starts from the patient coordinates both phases share."""
    start = sitk.Euler3DTransform()
    size = fixed.GetSize()
    start.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in size]))
    method = _method([4, 2, 1])
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0, minStep=0.01, numberOfIterations=120, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(start, inPlace=False)
    return method.Execute(fixed, moving)


def _register_spline(
    fixed: sitk.Image, moving: sitk.Image, rigid: sitk.Transform
) -> sitk.Transform:
    """Smooth deformation on top of the rigid transform."""
    extent = [n * mm for n, mm in zip(fixed.GetSize(), fixed.GetSpacing(), strict=True)]
    mesh = [max(1, round(mm / CONTROL_SPACING_MM)) for mm in extent]
    spline = sitk.BSplineTransformInitializer(fixed, mesh, order=3)
    method = _method([2, 1])
    method.SetMovingInitialTransform(rigid)
    method.SetInitialTransform(spline, inPlace=False)
    method.SetOptimizerAsLBFGSB(
        gradientConvergenceTolerance=1e-5,
        numberOfIterations=SPLINE_ITERATIONS,
        maximumNumberOfCorrections=5,
        maximumNumberOfFunctionEvaluations=2 * SPLINE_ITERATIONS,
    )
    fitted = method.Execute(fixed, moving)
    return sitk.CompositeTransform([rigid, fitted])


def _judge(
    fixed: sitk.Image,
    moving: sitk.Image,
    mask: sitk.Image,
    transform: sitk.Transform,
    before: float,
) -> RegistrationQuality:
    field_mm = sitk.TransformToDisplacementField(
        transform,
        sitk.sitkVectorFloat64,
        fixed.GetSize(),
        fixed.GetOrigin(),
        fixed.GetSpacing(),
        fixed.GetDirection(),
    )
    inside = sitk.GetArrayViewFromImage(mask) > 0
    jacobian = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(field_mm))
    shifts = np.linalg.norm(sitk.GetArrayFromImage(field_mm), axis=-1)
    return RegistrationQuality(
        edge_correlation=_edge_correlation(fixed, moving, mask, transform),
        edge_correlation_before=before,
        least_jacobian=float(jacobian[inside].min()),
        largest_shift_mm=float(shifts[inside].max()),
    )


def _edge_correlation(
    fixed: sitk.Image, moving: sitk.Image, mask: sitk.Image, transform: sitk.Transform
) -> float:
    """Correlation of gradient magnitudes in the region and 10 mm around it."""
    moved = sitk.Resample(moving, fixed, transform, sitk.sitkLinear, WINDOW_HU[0])
    reach = round(10.0 / WORKING_SPACING_MM)
    inside = sitk.GetArrayFromImage(sitk.BinaryDilate(mask, [reach] * 3)) > 0
    edges = [
        sitk.GetArrayFromImage(sitk.GradientMagnitudeRecursiveGaussian(i, EDGE_SIGMA_MM))[inside]
        for i in (fixed, moved)
    ]
    if min(float(e.std()) for e in edges) == 0:
        return 0.0
    return float(np.corrcoef(edges[0], edges[1])[0, 1])
