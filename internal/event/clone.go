package event

// Clone is a copy of the event whose fields may be set. Lists and objects are shared with the original: replace them, do not change them.
func (e *Event) Clone() *Event {
	return &Event{
		Context: e.Context, Type: e.Type, ID: e.ID, Time: e.Time, TimeZoneOffset: e.TimeZoneOffset, RecordTime: e.RecordTime,
		ErrorDeclaration: e.ErrorDeclaration, Certification: e.Certification, Action: e.Action,
		ParentID: e.ParentID, EPCs: e.EPCs, Quantities: e.Quantities, ChildEPCs: e.ChildEPCs, ChildQuantities: e.ChildQuantities,
		InputEPCs: e.InputEPCs, InputQuantities: e.InputQuantities, OutputEPCs: e.OutputEPCs, OutputQuantities: e.OutputQuantities,
		TransformationID: e.TransformationID, BizStep: e.BizStep, Disposition: e.Disposition, PersistentDisposition: e.PersistentDisposition,
		ReadPoint: e.ReadPoint, BizLocation: e.BizLocation, BizTransactions: e.BizTransactions, Sources: e.Sources,
		Destinations: e.Destinations, SensorElements: e.SensorElements, ILMD: e.ILMD, Ext: e.Ext,
	}
}
