package content

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
)

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// files counts what is in a store's directory.
func files(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	store, err := fs.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the line broke")
	for name, c := range map[string]struct {
		name string
		body io.Reader
		want error
	}{
		"empty":     {"a", strings.NewReader(""), ErrEmpty},
		"name":      {strings.Repeat("a", MaxName+1), strings.NewReader("x"), ErrName},
		"broken":    {"a", iotest.ErrReader(broken), broken},
		"broken in": {"a", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), broken},
		"too large": {"a", io.LimitReader(zeros{}, MaxFile+1), evidence.ErrTooLarge},
	} {
		if _, err := Keep(t.Context(), store, c.name, c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := files(t, dir); n != 0 {
		t.Errorf("%d files were kept", n)
	}
	got, err := Keep(t.Context(), store, "检 \"a\"\r\nb\xff\u202egpj.exe", strings.NewReader("%PDF-1.7 x"))
	want := contract.Evidence{SHA256: got.SHA256, MediaType: "application/pdf", Name: "检 \"a\"__b__gpj.exe", Size: 10}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	want.Name = ""
	if read, err := Read(t.Context(), store, got.SHA256); err != nil || read != want {
		t.Errorf("%+v %v", read, err)
	}
	if _, err := Read(t.Context(), store, strings.Repeat("0", 64)); !errors.Is(err, evidence.ErrNotFound) {
		t.Error(err)
	}
	path := filepath.Join(dir, got.SHA256[:2], got.SHA256[2:4], got.SHA256)
	if err := os.WriteFile(path, []byte("%PDF-1.7 y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), store, got.SHA256); !errors.Is(err, evidence.ErrDamaged) {
		t.Error(err)
	}
}
