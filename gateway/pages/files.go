package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// attached is a file of an inspection.
type attached struct {
	Name, Size string
	Kind       string // key of the text that says what it is
	Link       string // "" when it is not kept here
	Picture    bool   // small enough to be seen on the page
	sum        string
}

const (
	// maxFiles bounds the files listed of one inspection; its record has all of them.
	maxFiles = 8
	// maxPreview bounds a picture that the page itself shows: a telephone loads several of them.
	maxPreview = 2 << 20 // bytes
)

// files lists the files of an inspection as their record calls them. What they really are is looked at when they are fetched.
func (l *language) files(i index.Inspection) (list []attached) {
	for _, f := range i.Evidence[:min(len(i.Evidence), maxFiles)] {
		a := attached{Name: cmp.Or(f.Name, f.SHA256[:min(len(f.SHA256), 12)]), Size: size(f.Size), Kind: "file.other", sum: f.SHA256,
			Link: "/api/v1/evidence/" + url.PathEscape(f.SHA256) + "?inline=true&record=" + url.QueryEscape(i.ID)}
		switch {
		case content.IsPicture(f.MediaType):
			a.Kind, a.Picture = "file.picture", f.Size <= maxPreview
		case f.MediaType == "application/pdf":
			a.Kind = "file.report"
		}
		list = append(list, a)
	}
	return list
}

// linkFiles takes the links off files that are not kept here. A store that is away does not hide what it has.
func (p *Pages) linkFiles(ctx context.Context, list []inspection) error {
	for _, i := range list {
		for n := range i.Files {
			_, err := p.Files.Stat(ctx, i.Files[n].sum)
			if errors.Is(err, evidence.ErrNotFound) {
				i.Files[n].Link, i.Files[n].Picture = "", false
			}
		}
	}
	return ctx.Err()
}

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes <= 0:
		return ""
	case bytes < 1<<20:
		return fmt.Sprintf("%d KB", (bytes+1023)>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}
