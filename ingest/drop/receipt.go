package drop

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// State of a file that is through.
type State string

// The states. Files of the first two lie in done/, the others in rejected/.
const (
	Captured State = "captured" // all of its records are on the ledger
	Partly   State = "partly"   // some are; the others were refused and are listed
	Rejected State = "rejected" // none is because of it
)

// Receipt is what is written beside a file: what became of it, as JSON.
type Receipt struct {
	File    string        `json:"file"` // its name beside the receipt
	Dropped string        `json:"dropped"`
	State   State         `json:"state"`
	Summary contract.Text `json:"summary"` // a sentence for people
	// Sheet is the name beside the receipt of a copy of the sheet with one more column, of what became of each row and why; of what could not
	// be read as a sheet, a list of the reasons. "" when the file is no sheet, or nothing of it was refused.
	Sheet  string `json:"sheet,omitzero"`
	Member string `json:"member"`
	// Job is the capture job; "" when there is none, because the content is nothing that can be captured.
	Job        string    `json:"job,omitzero"`
	SHA256     string    `json:"sha256,omitzero"` // of the bytes, under which the evidence store has them
	MediaType  string    `json:"mediaType,omitzero"`
	Size       int64     `json:"size"`               // bytes
	Behaviour  string    `json:"behaviour"`          // rollback, proceed (EPCIS capture error behaviour)
	Received   time.Time `json:"received,omitzero"`  // when the job was on disk
	Finished   time.Time `json:"finished"`           //
	Accepted   int       `json:"accepted"`           // records
	Duplicates int       `json:"duplicates"`         // records that were on the ledger before
	Refused    int       `json:"refused"`            //
	Taking     string    `json:"taking"`             // ID of this taking of the file
	Place      string    `json:"place"`              // directory or bucket
	Blocks     *Blocks   `json:"blocks,omitempty"`   // on the ledger; absent when nothing was written
	Problems   []Problem `json:"problems,omitempty"` // why something was refused, and remarks
	// MoreProblems are not listed here.
	MoreProblems int `json:"moreProblems,omitzero"`
	// Outcomes of the records, in the order of the file: the first MaxOutcomes.
	Outcomes []Outcome `json:"outcomes,omitempty"`
	// AllOutcomes is where all of them can be asked for, at the gateway that took the file.
	AllOutcomes string `json:"allOutcomes,omitzero"`
}

// Blocks are the numbers of the first and last block with records of the file, among the outcomes listed.
type Blocks struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Problem is why a part of a file was refused, or a remark on it.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Place   string `json:"place,omitzero"` // JSON pointer, XPath, or cell of a sheet
	Event   string `json:"event,omitzero"` // ID of the record
	Refused bool   `json:"refused"`        // false: a remark on what was accepted
}

// Outcome is what became of one record.
type Outcome struct {
	Index int    `json:"index"` // of the record in the file
	Tx    string `json:"tx,omitzero"`
	Block uint64 `json:"block,omitzero"`
	contract.Outcome
}

// MaxOutcomes bounds the outcomes in a receipt; those of a larger file are at its job.
const MaxOutcomes = 1000

func (f *Feed) newReceipt(of file) *Receipt {
	r := &Receipt{Dropped: show(of.name), Member: f.Member, Size: of.size, Behaviour: "rollback", Taking: of.id, Place: show(f.place.String())}
	if f.Proceed {
		r.Behaviour = "proceed"
	}
	return r
}

// receipt says what became of a file whose job has ended.
func (f *Feed) receipt(ctx context.Context, of file, job capture.Job) (*Receipt, error) {
	r := f.newReceipt(of)
	r.Job, r.SHA256, r.MediaType, r.Size = job.ID, job.Evidence.SHA256, job.Evidence.MediaType, job.Evidence.Size
	r.Received, r.Finished = job.Created.UTC(), job.Finished.UTC()
	r.Accepted, r.Duplicates, r.Refused, r.MoreProblems = job.Accepted, job.Duplicates, job.Refused, job.MoreProblems
	r.AllOutcomes = "/epcis/capture/" + url.PathEscape(job.ID) + "/outcomes"
	for _, p := range job.Problems {
		r.Problems = append(r.Problems, Problem{Code: p.Code, Message: p.Message, Place: p.Pointer, Event: p.Event, Refused: p.Refused})
	}
	if size, err := f.place.size(ctx, of.path); err == nil && size != job.Evidence.Size {
		r.Problems = append(r.Problems, Problem{Code: "FILE_CHANGED", Message: fmt.Sprintf(
			"The file was still being written when it was read: its first %d bytes were captured. Write files under another name and rename them when they are complete.", job.Evidence.Size)})
	}
	list, err := f.Capture.Outcomes(ctx, f.Member, job.ID, 0, MaxOutcomes)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		r.add(o)
	}
	r.judge(job)
	return r, nil
}

func (r *Receipt) add(o capture.Outcome) {
	r.Outcomes = append(r.Outcomes, Outcome{Index: o.Index, Tx: o.Tx, Block: o.Block, Outcome: o.Outcome})
	if o.Tx == "" {
		return
	}
	if r.Blocks == nil {
		r.Blocks = &Blocks{First: o.Block, Last: o.Block}
	}
	r.Blocks.First, r.Blocks.Last = min(r.Blocks.First, o.Block), max(r.Blocks.Last, o.Block)
}

// judge says on which side a file belongs, and why in a sentence. With proceed, a file of which something is on the ledger is done: it
// must not be sent again as a whole. With rollback it is the job that says.
func (r *Receipt) judge(job capture.Job) {
	refused := r.Refused > 0 || hasRefusal(r.Problems)
	switch {
	case !job.Success:
		r.State = Rejected
		r.Summary = contract.Text{
			EN: "Rejected: nothing was written because of this file. The reasons are listed; correct it and send it again.",
			ZH: "已拒收：未因该文件写入任何内容。原因见下，请更正后重新发送。"}
	case refused:
		r.State = Partly
		r.Summary = contract.Text{
			EN: fmt.Sprintf("Captured in part. Records written to the ledger: %d; on it before: %d; refused: %d. Correct those that are listed and send only them again.", r.Accepted, r.Duplicates, r.Refused),
			ZH: fmt.Sprintf("部分采集：%d 条记录已写入账本，%d 条此前已在账本上，%d 条被拒绝。请更正所列记录后仅重新发送这些记录。", r.Accepted, r.Duplicates, r.Refused)}
	default:
		r.State = Captured
		r.Summary = contract.Text{
			EN: fmt.Sprintf("Captured. Records written to the ledger: %d; on it before: %d.", r.Accepted, r.Duplicates),
			ZH: fmt.Sprintf("已采集：%d 条记录已写入账本，%d 条此前已在账本上。", r.Accepted, r.Duplicates)}
	}
}

func hasRefusal(list []Problem) bool {
	for _, p := range list {
		if p.Refused {
			return true
		}
	}
	return false
}
