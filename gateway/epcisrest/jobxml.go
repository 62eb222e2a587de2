package epcisrest

import "encoding/xml"

// jobXML is a capture job in XML (EPCglobal-epcis-2_0.xsd, EPCISCaptureJob).
type jobXML struct {
	XMLName xml.Name `xml:"epcis:EPCISCaptureJob"`
	spaces
	Running        bool        `xml:"running,attr"`
	Success        bool        `xml:"success,attr"`
	ID             string      `xml:"captureID,attr"`
	ErrorBehaviour string      `xml:"captureErrorBehaviour"`
	Created        string      `xml:"createdAt,omitempty"`
	Finished       string      `xml:"finishedAt,omitempty"`
	Errors         *errorsXML  `xml:"errors"` // the schema has no empty list
	Progress       progressXML `xml:"foodtrace:progress"`
}

type errorsXML struct {
	Error []jobErrorXML `xml:"error"`
}

type jobErrorXML struct {
	errorXML
	Field string `xml:"foodtrace:field,omitempty"`
	Event string `xml:"foodtrace:eventID,omitempty"`
}

type progressXML struct {
	Accepted   int `xml:"foodtrace:accepted"`
	Duplicates int `xml:"foodtrace:duplicates"`
	Refused    int `xml:"foodtrace:refused"`

	Files []fileXML `xml:"foodtrace:file"`
}

type fileXML struct {
	URI       string `xml:"uri,attr"`
	MediaType string `xml:"mediaType,attr"`
	Name      string `xml:"name,attr,omitempty"`
	Size      int64  `xml:"size,attr"`
}

func (j Job) toXML() any {
	x := jobXML{spaces: bothSpaces, Running: j.Running, Success: j.Success, ID: j.ID, ErrorBehaviour: j.ErrorBehaviour, Created: j.Created, Finished: j.Finished,
		Progress: progressXML{Accepted: j.Foodtrace.Accepted, Duplicates: j.Foodtrace.Duplicates, Refused: j.Foodtrace.Refused}}
	for _, f := range j.Foodtrace.Files {
		x.Progress.Files = append(x.Progress.Files, fileXML{f.URI, f.MediaType, f.Name, f.Size})
	}
	for _, e := range j.Errors {
		if x.Errors == nil {
			x.Errors = &errorsXML{}
		}
		x.Errors.Error = append(x.Errors.Error, jobErrorXML{errorXML{Type: e.Type, Title: e.Title, Detail: e.Detail, Code: e.Code}, e.Field, e.Event})
	}
	return x
}
