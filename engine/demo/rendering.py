"""From materials to Hounsfield units: enhancement, texture, blur, scanner noise."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.demo.anatomy import TEXTURE_STEPS_PER_SD, Phantom
from engine.demo.grids import grid_axes_mm
from engine.demo.interpolation import blurring_matrix
from engine.demo.parameters import LesionParameters, PhantomParameters
from engine.demo.tissues import (
    ARTERIAL_SPLEEN_COARSE_SD,
    ATTENUATION,
    LIVER_ORGAN,
    LesionPart,
    Tissue,
    lesion_material,
)
from engine.values.identity import ContrastPhase

Field = NDArray[np.float32]
MATERIALS = 256
IN_PLANE_SIGMA_MM = 0.5
LOWEST_HU, HIGHEST_HU = -1024, 3071
REFERENCE_SLICE_MM = 1.5
PEAK_PER_MM, CUTOFF_PER_MM = 0.28, 0.75
NEIGHBOR_SLICE_SHARE = 0.35
SLAB_SLICES = 4

_CAPSULE_OFFSET_HU = {
    ContrastPhase.NON_CONTRAST: -8.0,
    ContrastPhase.LATE_ARTERIAL: 2.0,
    ContrastPhase.PORTAL_VENOUS: 4.0,
    ContrastPhase.DELAYED: 22.0,
}
_NECROSIS_HU = 21.0


def _lesion_offset_hu(lesion: LesionParameters, phase: ContrastPhase) -> float:
    return {
        ContrastPhase.NON_CONTRAST: lesion.non_contrast_offset_hu,
        ContrastPhase.LATE_ARTERIAL: lesion.arterial_offset_hu,
        ContrastPhase.PORTAL_VENOUS: lesion.portal_offset_hu,
        ContrastPhase.DELAYED: lesion.delayed_offset_hu,
    }[phase]


def _tissue_hu(tissue: Tissue, phase: ContrastPhase, parameters: PhantomParameters) -> float:
    """Mean HU of a tissue in this patient."""
    typical = ATTENUATION[tissue]
    timing = parameters.arterial_timing if phase is ContrastPhase.LATE_ARTERIAL else 1.0
    taken_up = typical.mean_hu(phase) - typical.non_contrast
    offset = parameters.liver_offset_hu if tissue in LIVER_ORGAN - {Tissue.CYST} else 0.0
    return typical.non_contrast + taken_up * parameters.enhancement * timing + offset


def _material_tables(phantom: Phantom, phase: ContrastPhase) -> tuple[Field, Field, Field]:
    """Mean HU, fine and coarse texture in HU per material value, each shape (256,)."""
    mean, fine, coarse = (np.zeros(MATERIALS, np.float32) for _ in range(3))
    for tissue, typical in ATTENUATION.items():
        mean[tissue] = _tissue_hu(tissue, phase, phantom.parameters)
        fine[tissue], coarse[tissue] = typical.fine_sd, typical.coarse_sd
    if phase is ContrastPhase.LATE_ARTERIAL:
        coarse[Tissue.SPLEEN] = ARTERIAL_SPLEEN_COARSE_SD
    liver_hu = float(mean[Tissue.LIVER])
    for lesion in phantom.lesions:
        viable = liver_hu + _lesion_offset_hu(lesion.design, phase)
        for part, hu, fine_sd, coarse_sd in (
            (LesionPart.VIABLE, viable, 5.0, 6.0),
            (LesionPart.CAPSULE, liver_hu + _CAPSULE_OFFSET_HU[phase], 3.0, 3.0),
            (LesionPart.NECROSIS, _NECROSIS_HU, 3.0, 4.0),
        ):
            material = lesion_material(lesion.number, part)
            mean[material], fine[material], coarse[material] = hu, fine_sd, coarse_sd
    return mean, fine / TEXTURE_STEPS_PER_SD, coarse / TEXTURE_STEPS_PER_SD


def _canvas_hu(phantom: Phantom, phase: ContrastPhase) -> Field:
    """Noise-free HU on the canvas, both materials of each voxel mixed."""
    mean, fine, coarse = _material_tables(phantom, phase)
    image = np.empty(phantom.primary.shape, np.float32)
    for start in range(0, len(image), SLAB_SLICES):
        slab = slice(start, start + SLAB_SLICES)
        share = phantom.weight[slab] * np.float32(1 / 255)
        values = []
        for material in (phantom.primary[slab], phantom.secondary[slab]):
            hu = mean[material]
            hu += fine[material] * phantom.fine_texture[slab]
            hu += coarse[material] * phantom.coarse_texture[slab]
            values.append(hu)
        image[slab] = values[1] + share * (values[0] - values[1])
    return image


def _breathe(image: Field, phantom: Phantom, shift_mm: float) -> Field:
    """Move the abdomen along z, the front more than the spine, by linear interpolation."""
    z_mm, y_mm, _ = phantom.canvas_axes_mm
    depth = phantom.parameters.depth_scale
    mobile = 1 / (1 + np.exp((y_mm / depth - 30) / 8))
    steps = shift_mm / (z_mm[1] - z_mm[0]) * mobile
    moved = np.empty_like(image)
    rows = np.arange(len(z_mm))
    for index, step in enumerate(steps):
        at = np.clip(rows - step, 0, len(rows) - 1)
        low = np.minimum(at.astype(int), len(rows) - 2)
        share = (at - low).astype(np.float32)[:, None]
        plane = image[:, index]
        moved[:, index] = plane[low] * (1 - share) + plane[low + 1] * share
    return moved


def noise_power(frequency_per_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape of the in-plane noise power spectrum of a soft-tissue kernel.

    A ramp (filtered backprojection) that an apodization takes to zero at
    CUTOFF_PER_MM; its maximum is near PEAK_PER_MM.
    """
    f = np.asarray(frequency_per_mm, float)
    apodized = np.where(f < CUTOFF_PER_MM, np.cos(np.pi * np.minimum(f / CUTOFF_PER_MM, 1) / 2), 0)
    return np.asarray(f * np.exp(-((f / (1.6 * PEAK_PER_MM)) ** 2)) * apodized**2)


def scanner_noise(
    rng: Generator,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    sd_hu: float,
) -> Field:
    """Correlated noise of a scanner on a grid.

    On a grid too coarse for the kernel only the part of the spectrum below its Nyquist
    frequency is left, as after resampling; thicker slices average more photons.

    Args:
        rng: Source of the noise.
        shape: (slice, row, column).
        spacing_mm: (slice, row, column).
        sd_hu: Standard deviation on a fine grid with 1.5 mm slices.

    Returns:
        HU, shape ``shape``.
    """
    slices, rows, columns = shape
    fy = np.fft.fftfreq(rows, spacing_mm[1])[:, None]
    fx = np.fft.fftfreq(columns, spacing_mm[2])[None, :]
    power = noise_power(np.hypot(fy, fx))
    radial = np.linspace(0, CUTOFF_PER_MM, 2001)
    whole = 2 * np.pi * np.trapezoid(noise_power(radial) * radial, radial)
    density = sd_hu**2 * REFERENCE_SLICE_MM / max(spacing_mm[0], REFERENCE_SLICE_MM) / whole
    cell = 1 / (rows * spacing_mm[1] * columns * spacing_mm[2])
    amplitude = (np.sqrt(power * density * cell) * rows * columns).astype(np.float32)
    pairs = slices // 2 + 1
    noise = np.empty((2 * pairs, rows, columns), np.float32)
    for pair in range(pairs):
        white = rng.standard_normal((rows, columns, 2), np.float32).view(np.complex64)[..., 0]
        spread = np.fft.ifft2(white * amplitude)
        noise[2 * pair], noise[2 * pair + 1] = spread.real, spread.imag
    mixed = noise[:slices]
    mixed += np.float32(NEIGHBOR_SLICE_SHARE) * noise[1 : slices + 1]
    mixed *= np.float32(1 / np.hypot(1, NEIGHBOR_SLICE_SHARE))
    return mixed


def _noise_profile(phantom: Phantom) -> Field:
    """Relative noise over a slice: most in the middle of the body, least in air."""
    _, y_mm, x_mm = grid_axes_mm(phantom.geometry)
    reach = 150 * phantom.parameters.width_scale
    radius_2 = (x_mm[None, :] / reach) ** 2 + (y_mm[:, None] / (0.75 * reach)) ** 2
    return np.asarray(0.5 + 0.55 * np.exp(-0.55 * radius_2), np.float32)


def render_phase(
    phantom: Phantom, phase: ContrastPhase, rng: Generator, *, breathing_mm: float = 0.0
) -> NDArray[np.int16]:
    """Render one contrast phase of a phantom as a scanner would reconstruct it.

    Args:
        phantom: From ``build_phantom``.
        phase: Any but UNKNOWN.
        rng: Source of the scanner noise.
        breathing_mm: How far the abdomen lies toward the head compared with the truth
            masks; 0 keeps image and masks aligned.

    Returns:
        HU on ``phantom.geometry``, int16.

    Raises:
        KeyError: The unknown phase.
    """
    image = _canvas_hu(phantom, phase)
    if breathing_mm:
        image = _breathe(image, phantom, breathing_mm)
    spacing_mm = phantom.geometry.spacing.as_tuple()
    sigmas = (0.35 * spacing_mm[0], IN_PLANE_SIGMA_MM, IN_PLANE_SIGMA_MM)
    along_z, along_y, along_x = (
        blurring_matrix(source, target, sigma_mm=sigma)
        for source, target, sigma in zip(
            phantom.canvas_axes_mm, grid_axes_mm(phantom.geometry), sigmas, strict=True
        )
    )
    stacked = (along_z @ image.reshape(len(image), -1)).reshape(-1, *image.shape[1:])
    noise = scanner_noise(rng, phantom.geometry.shape, spacing_mm, phantom.parameters.noise_sd_hu)
    profile = _noise_profile(phantom)
    output = np.empty(phantom.geometry.shape, np.int16)
    for start in range(0, len(output), SLAB_SLICES):
        slab = slice(start, start + SLAB_SLICES)
        hu = along_y @ (stacked[slab] @ along_x.T)
        hu += noise[slab] * profile
        np.clip(np.rint(hu, out=hu), LOWEST_HU, HIGHEST_HU, out=hu)
        output[slab] = hu
    return output
