"""Settings that live in the scene and follow it through save and reload."""

import slicer
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class Parameters:
    """One field per control; ``SlicerParameterName`` in the .ui names the field.

    Attributes:
        inputVolume: The CT to analyze.
        secondVolume: A further contrast phase, or None.
        segmentation: The result's segmentation; edits happen here.
        model: Model package, perhaps "@version".
        forceCpu: Never use the graphics card.
        clinicalFile: Spreadsheet with clinical values.
    """

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    secondVolume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    model: str = "liver_tumor_ct"
    forceCpu: bool = False
    clinicalFile: str = ""
