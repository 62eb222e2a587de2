package event

import "strings"

// Namespaces of the vocabularies that EPCIS 2.0 JSON abbreviates (EPCIS 2.0, section 10.2; its JSON-LD context).
const (
	cbvNamespace = "https://ref.gs1.org/cbv/"
	gs1Namespace = "https://gs1.org/voc/"
)

// Vocabulary is a list of words of the CBV 2.0 (section 7) or of the GS1 web vocabulary that EPCIS 2.0 JSON writes bare.
type Vocabulary struct {
	Name  string // for messages
	web   string // what precedes the word in its web URI
	curie string // the same with the prefix of the standard's context
	urn   string // what precedes it in its EPC URN, lower case; "" when it has none
	words map[string]bool
}

func newVocabulary(name, local, urn, words string) *Vocabulary {
	v := &Vocabulary{Name: name, web: cbvNamespace + local, curie: "cbv:" + local, words: map[string]bool{}}
	if local == "" {
		v.web, v.curie = gs1Namespace, "gs1:"
	}
	if urn != "" {
		v.urn = "urn:epcglobal:cbv:" + urn + ":"
	}
	for word := range strings.FieldsSeq(words) {
		v.words[word] = true
	}
	return v
}

// The vocabularies of EPCIS 2.0 JSON.
var (
	BizSteps = newVocabulary("business step", "BizStep-", "bizstep", `accepting arriving assembling collecting commissioning
		consigning creating_class_instance cycle_counting decommissioning departing destroying disassembling dispensing encoding
		entering_exiting holding inspecting installing killing loading other packing picking receiving removing repackaging
		repairing replacing reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking
		storing transporting unloading unpacking void_shipping`)
	Dispositions = newVocabulary("disposition", "Disp-", "disp", `active available completeness_inferred completeness_verified
		conformant container_closed container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
		inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant
		non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
		sellable_not_accessible stolen unavailable unknown`)
	BizTransactionTypes = newVocabulary("business transaction type", "BTT-", "btt", `bol cert desadv inv pedigree po poc prodorder
		recadv rma testprd testres upevt`)
	SourceDestTypes = newVocabulary("source or destination type", "SDT-", "sdt", `location owning_party possessing_party`)
	ErrorReasons    = newVocabulary("error reason", "ER-", "er", `did_not_occur incorrect_data`)
	Components      = newVocabulary("component", "Comp-", "comp", `altitude axial_distance azimuth easting elevation_angle height
		latitude longitude northing polar_angle spherical_radius x y z`)
	SensorAlerts     = newVocabulary("exception", "", "", `ALARM_CONDITION ERROR_CONDITION`)
	MeasurementTypes = newVocabulary("measurement type", "", "", `AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude
		AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area
		Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
		ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
		Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity
		MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime
		MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity
		Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension
		Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`)
)

// Has says whether a bare word is of the vocabulary.
func (v *Vocabulary) Has(word string) bool { return v.words[word] }

// Word is the bare word of a value in any of its forms (bare, with the prefix cbv: or gs1:, web URI, EPC URN), or the value as
// it is when it is not of the vocabulary.
func (v *Vocabulary) Word(value string) string {
	for _, prefix := range [...]string{v.web, v.curie} {
		if word, ok := strings.CutPrefix(value, prefix); ok {
			return word
		}
	}
	word, _ := v.cutURN(value)
	return word
}

// Short is the form of a value in EPCIS 2.0 JSON: the bare word for every way to write one of the vocabulary, a web URI for another word in
// its namespaces, and any other value as it is.
func (v *Vocabulary) Short(value string) string {
	word := v.Word(value)
	if v.words[word] || word == value {
		return word
	}
	return v.web + word
}

// Long is the form of a bare word of the vocabulary in EPCIS XML: its EPC URN, or with the prefix gs1: where it has none. Any other value is as it is.
func (v *Vocabulary) Long(value string) string {
	switch {
	case !v.words[value]:
		return value
	case v.urn != "":
		return v.urn + value
	}
	return v.curie + value
}

// WebURI is the web URI of a bare word of the vocabulary or of an EPC URN in its namespace. Any other value is as it is.
func (v *Vocabulary) WebURI(value string) string {
	if word, urn := v.cutURN(value); urn || v.words[value] {
		return v.web + word
	}
	return value
}

// URN is the EPC URN of a bare word of the vocabulary or of a web URI in its namespace. Any other value is as it is, and so is a word of a
// vocabulary that has no EPC URNs.
func (v *Vocabulary) URN(value string) string {
	if v.urn == "" {
		return value
	}
	if word, web := strings.CutPrefix(value, v.web); web || v.words[value] {
		return v.urn + word
	}
	return value
}

// cutURN removes the stem of the EPC URN form, whatever its case.
func (v *Vocabulary) cutURN(value string) (word string, ok bool) {
	n := len(v.urn)
	if n == 0 || len(value) < n || !strings.EqualFold(value[:n], v.urn) {
		return value, false
	}
	return value[n:], true
}

// Step is the business step: the bare CBV word ("shipping") for every way to write one, another URI as it is, "" when there is none.
func (e *Event) Step() string { return BizSteps.Word(e.BizStep) }

// DispositionWord is the disposition, as a bare CBV word where it is one.
func (e *Event) DispositionWord() string { return Dispositions.Word(e.Disposition) }
