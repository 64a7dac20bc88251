"""Vertebrae, disks, ribs, pelvis and the muscles of the back (z, y, x in mm)."""

import numpy as np

from engine.demo.canvas import Canvas, Field, smooth_maximum, smooth_minimum
from engine.demo.shapes import capsule, ellipsoid_at, tube
from engine.demo.tissues import Tissue
from engine.demo.torso import Cavity

SPINE_Y_MM = 46.0
VERTEBRA_PITCH_MM = 33.0
DISK_MM = 8.0
RIB_PITCH_MM = 27.0
LOWEST_RIB_Z_MM = -118.0
RIB_DEPTH_MM = 4.5


def paint_muscles(canvas: Canvas) -> None:
    """Erector spinae, psoas, quadratus lumborum, crura of the diaphragm."""
    for side in (-1.0, 1.0):
        box = canvas.box((-400, 50, side * 40 - 45), (400, 115, side * 40 + 45))
        column = (float(canvas.z[box].mean()), 84.0, side * 33.0) if canvas.z[box].size else None
        if column:
            back = ellipsoid_at(canvas, box, column, (1e4, 20.0, 29.0))
            canvas.paint(box, back, Tissue.MUSCLE)
        psoas = np.array([[-105, 52, 24], [-150, 54, 32], [-200, 52, 40], [-400, 20, 62]], float)
        psoas[:, 2] *= side
        canvas.paint(*tube(canvas, psoas, [5.0, 13.0, 20.0, 26.0]), Tissue.MUSCLE)
        box = canvas.box((-240, 45, side * 64 - 32), (-118, 100, side * 64 + 32))
        if canvas.z[box].size:
            sheet = ellipsoid_at(canvas, box, (-180.0, 74.0, side * 64.0), (75.0, 8.0, 20.0))
            canvas.paint(box, sheet, Tissue.MUSCLE)
        crus = np.array([[-20, 18, 16], [-70, 24, 15], [-120, 32, 15], [-160, 34, 13]], float)
        crus[:, 2] = crus[:, 2] * side + 2
        canvas.paint(*tube(canvas, crus, [3.0, 5.0, 4.5, 2.5]), Tissue.DIAPHRAGM)


def _vertebral_levels(canvas: Canvas, z: Field) -> Field:
    """Distance along z to the middle of the nearest vertebra, mm."""
    phase = z / np.float32(VERTEBRA_PITCH_MM)
    return np.asarray((phase - np.round(phase)) * np.float32(VERTEBRA_PITCH_MM))


def paint_spine(canvas: Canvas) -> None:
    """Vertebral bodies with cortex, disks, canal, arches and processes."""
    box = canvas.box((-400, 20, -50), (400, 118, 50))
    z, y, x = canvas.z[box], canvas.y[box], canvas.x[box]
    if z.size == 0:
        return
    level = _vertebral_levels(canvas, z)
    half_mm = (VERTEBRA_PITCH_MM - DISK_MM) / 2
    waist = 2.2 * (1 - (level / np.float32(half_mm)) ** 2)
    rho = np.hypot(x / np.float32(22.5), (y - np.float32(SPINE_Y_MM)) / np.float32(16.5))
    column = (rho - 1) * np.float32(18)
    canvas.paint(box, column + 1, Tissue.DISK)
    body = smooth_maximum(column + np.maximum(waist, 0), np.abs(level) - np.float32(half_mm), 3.0)
    arch = _arch_distance(x, y, level)
    canvas.paint(box, smooth_minimum(body, arch, 3.0), Tissue.CORTICAL_BONE)
    canvas.paint(box, np.minimum(body + 1.6, arch + 2.6), Tissue.TRABECULAR_BONE)
    canal = np.hypot(x / np.float32(1.2), y - np.float32(SPINE_Y_MM + 25)) - np.float32(8)
    canvas.paint(box, canal, Tissue.VISCERAL_FAT)
    canvas.paint(box, canal + np.float32(1.4), Tissue.SPINAL_CANAL)


def _arch_distance(x: Field, y: Field, level: Field) -> Field:
    """Pedicles, laminae, spinous and transverse processes."""
    behind = y - np.float32(SPINE_Y_MM)
    ring = np.abs(np.hypot(x / np.float32(1.2), behind - 25) - np.float32(11)) - np.float32(3)
    lamina = np.maximum(ring, np.abs(level + 1) - 9)
    droop = level + np.float32(0.55) * np.maximum(behind - 34, 0)
    spinous = np.maximum(np.abs(x) - 3.2, np.maximum(np.abs(droop) - 7, np.abs(behind - 46) - 13))
    across = np.hypot(behind - 24 - np.float32(0.12) * np.abs(x), level - 3) - np.float32(4)
    transverse = np.maximum(across, np.abs(x) - 36)
    return smooth_minimum(lamina, smooth_minimum(spinous, transverse, 2.0), 2.0)


def paint_ribs(canvas: Canvas, cavity: Cavity) -> None:
    """Ribs as oblique bands of the chest wall, cartilage toward the front."""
    box = canvas.box((-190, -125, -170), (400, 125, 170))
    depth = cavity.inner[box] - np.float32(RIB_DEPTH_MM)
    band = np.abs(depth) < np.float32(10)
    index = np.nonzero(band)
    if index[0].size == 0:
        return
    x, y, z = canvas.x[box][index], canvas.y[box][index], canvas.z[box][index]
    turn = np.arctan2(np.abs(x), y) / np.float32(np.pi)
    slope = 200 * turn * turn - 420 * np.maximum(turn - 0.66, 0)
    raw = (z + slope - np.float32(LOWEST_RIB_Z_MM)) / np.float32(RIB_PITCH_MM)
    number = np.maximum(np.round(raw), 0)
    along_z = (raw - number) * np.float32(RIB_PITCH_MM * 0.85)
    across = depth[index] * np.float32(1.6)
    section = np.hypot(along_z, across) - np.float32(6.6)
    reach = np.minimum(0.34 + 0.16 * number, 0.93)
    section = np.maximum(section, (turn - reach) * 150)
    bare = np.where(y > 0, np.float32(62), np.float32(12))
    section = np.maximum(section, bare - np.abs(x))
    for shape, material in (
        (section, Tissue.CORTICAL_BONE),
        (section + np.float32(1.9), Tissue.TRABECULAR_BONE),
        (np.maximum(section, (0.72 - turn) * 150), Tissue.CARTILAGE),
    ):
        distance = np.full(depth.shape, 50, np.float32)
        distance[index] = shape
        canvas.paint(box, distance, material)


def paint_rib_necks(canvas: Canvas) -> None:
    """The pieces of the ribs between the vertebrae and the angle beside the back muscles."""
    for number in range(1, 12):
        rib_z_mm = LOWEST_RIB_Z_MM + RIB_PITCH_MM * number - 9
        joint_z_mm = VERTEBRA_PITCH_MM * round(rib_z_mm / VERTEBRA_PITCH_MM)
        for side in (-1.0, 1.0):
            neck = np.array([[joint_z_mm, 56, side * 24], [rib_z_mm, 84, side * 67]], float)
            box, bone = capsule(canvas, neck, [5.0, 5.0])
            canvas.paint(box, bone, Tissue.CORTICAL_BONE)
            canvas.paint(box, bone + np.float32(1.8), Tissue.TRABECULAR_BONE)


def paint_sternum(canvas: Canvas, cavity: Cavity) -> None:
    """Sternum down to the xiphoid process."""
    box = canvas.box((-70, -125, -20), (400, -60, 20))
    plate = np.maximum(np.abs(cavity.inner[box] - 4) - 4, np.abs(canvas.x[box]) - 14)
    plate = smooth_maximum(plate, np.float32(-62) - canvas.z[box], 6.0)
    canvas.paint(box, plate, Tissue.CORTICAL_BONE)
    canvas.paint(box, plate + np.float32(1.5), Tissue.TRABECULAR_BONE)


def paint_pelvis(canvas: Canvas, cavity: Cavity) -> None:
    """Iliac wings and sacral wings below the fourth lumbar vertebra."""
    box = canvas.box((-400, -40, -150), (-205, 110, 150))
    if 0 in canvas.z[box].shape:
        return
    z, y, x = canvas.z[box], canvas.y[box], np.abs(canvas.x[box])
    crest = z + 212 + np.float32(0.012) * (y - 25) ** 2
    sheet = np.abs(cavity.inner[box] - 1) - np.float32(5)
    reach = np.maximum(30 - x, -20 - y)
    wing = smooth_maximum(np.maximum(sheet, crest), reach, 4.0)
    canvas.paint(box, wing, Tissue.CORTICAL_BONE)
    canvas.paint(box, wing + np.float32(2), Tissue.TRABECULAR_BONE)
    sacrum = np.array([[-250, 62, -42], [-250, 62, 42]], float)
    sacral_box, sacral = capsule(canvas, sacrum, [22.0, 22.0])
    canvas.paint(sacral_box, sacral, Tissue.TRABECULAR_BONE)
