"""Network clients behind the engine's port for clinical sources: FHIR R4 and HL7 v2."""
