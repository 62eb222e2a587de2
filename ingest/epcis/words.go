package epcis

import "strings"

// words is one vocabulary of the CBV 2.0 (section 7) as the JSON binding has it: bare words, or URIs outside of the namespaces
// in which GS1 defines those words.
type words struct {
	name   string // for messages
	list   map[string]bool
	closed []string // namespaces whose terms must be written as bare words
}

func newWords(name string, closed []string, list string) *words {
	w := &words{name: name, list: map[string]bool{}, closed: closed}
	for _, s := range strings.Fields(list) {
		w.list[s] = true
	}
	return w
}

var (
	cbvClosed = []string{"urn:epcglobal:cbv", "http://ns.gs1.org/cbv/", "https://ns.gs1.org/cbv/"}
	gs1Closed = []string{"http://gs1.org/voc/", "https://gs1.org/voc/", "http://www.gs1.org/voc/", "https://www.gs1.org/voc/"}

	bizSteps = newWords("business step", cbvClosed, `accepting arriving assembling collecting commissioning consigning
		creating_class_instance cycle_counting decommissioning departing destroying disassembling dispensing encoding
		entering_exiting holding inspecting installing killing loading other packing picking receiving removing repackaging
		repairing replacing reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking
		storing transporting unloading unpacking void_shipping`)
	dispositions = newWords("disposition", cbvClosed, `active available completeness_inferred completeness_verified conformant
		container_closed container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive
		mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant
		non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
		sellable_not_accessible stolen unavailable unknown`)
	bizTransactionTypes = newWords("business transaction type", cbvClosed, `bol cert desadv inv pedigree po poc prodorder recadv rma
		testprd testres upevt`)
	sourceDestTypes = newWords("source or destination type", cbvClosed, `location owning_party possessing_party`)
	errorReasons    = newWords("error reason", cbvClosed, `did_not_occur incorrect_data`)
	components      = newWords("component", cbvClosed, `altitude axial_distance azimuth easting elevation_angle height latitude longitude
		northing polar_angle spherical_radius x y z`)
	alarms           = newWords("exception", gs1Closed, `ALARM_CONDITION ERROR_CONDITION`)
	measurementTypes = newWords("measurement type", gs1Closed, `AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude
		AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area
		Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
		ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
		Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity
		MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime
		MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity
		Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension
		Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`)
)

// isClosed says whether a value is a term of the vocabulary that is not written as its bare word.
func (w *words) isClosed(s string) bool {
	for _, ns := range w.closed {
		if strings.HasPrefix(s, ns) {
			return true
		}
	}
	return false
}

// isURI says whether s is a URI with a scheme (RFC 3986, appendix A, without its rules for authorities).
func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 1 || !isLetter(s[0]) {
		return false
	}
	for i := 1; i < colon; i++ {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	fragments := 0
	for i := colon + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		case c == '#':
			if fragments++; fragments > 1 {
				return false
			}
		case !uriByte[c]:
			return false
		}
	}
	return true
}

// isName is [isURI] for names of extension members, which may also have letters beyond ASCII after the prefix.
func isName(s string) bool {
	prefix, local, ok := strings.Cut(s, ":")
	return ok && isURI(prefix+":") && !strings.ContainsAny(local, " \t\r\n\"<>\\^`{|}")
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

var uriByte = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isLetter(byte(c)) || c >= '0' && c <= '9' || strings.IndexByte("-._~:/?[]@!$&'()*+,;=", byte(c)) >= 0
	}
	return set
}()
