// Package tools builds the programs of others that a real network on this machine is made of, from their Go modules at
// pinned versions, once: they are kept in the user's cache directory, and built again only when a pin changes.
package tools

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Set names programs that are built together. Each has requirements of its own (a .mod and a .sum file here), so that
// their old dependencies never touch ours.
type Set string

const (
	Fabric   Set = "fabric"    // peer, orderer, configtxgen, configtxlator, osnadmin
	FabricCA Set = "fabric-ca" // fabric-ca-server
	Minio    Set = "minio"     // minio, an S3 server
	Versity  Set = "versitygw" // versitygw, another
)

//go:embed *.mod *.sum
var pins embed.FS

// Build returns the folder with the programs of a set, building them if they are not there yet: some minutes the first
// time. It needs the go command, and a C compiler for FabricCA. What is done goes to progress in a few lines. Several
// processes may build at once: each builds aside, the first to finish wins.
func Build(ctx context.Context, set Set, progress io.Writer) (bin string, err error) {
	mod, err := pins.ReadFile(string(set) + ".mod")
	if err != nil {
		return "", fmt.Errorf("tools: no set %q: %w", set, err)
	}
	sum, err := pins.ReadFile(string(set) + ".sum")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("tools: %w", err)
	}
	digest := sha256.Sum256(append(mod, sum...))
	home := filepath.Join(cache, "foodtrace", "tools")
	bin = filepath.Join(home, string(set)+"-"+hex.EncodeToString(digest[:8]))
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", fmt.Errorf("tools: %w", err)
	}
	work, err := os.MkdirTemp(home, string(set)+"-building-")
	if err != nil {
		return "", fmt.Errorf("tools: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	fmt.Fprintf(progress, "building %s from its source, once (some minutes); it is kept in %s\n", set, bin)
	if err := errors.Join(os.WriteFile(filepath.Join(work, "go.mod"), mod, 0o644), os.WriteFile(filepath.Join(work, "go.sum"), sum, 0o644)); err != nil {
		return "", fmt.Errorf("tools: %w", err)
	}
	out := filepath.Join(work, "bin")
	build := exec.CommandContext(ctx, "go", "build", "-o", out+string(filepath.Separator), "tool")
	build.Dir = work
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if set == FabricCA {
		build.Env = append(build.Env, "CGO_ENABLED=1") // else, without a C compiler, its database would be one that only fails
	}
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("tools: %s cannot be built: %w\n%s", set, err, tail(text))
	}
	if err := os.Rename(out, bin); err != nil {
		if _, there := os.Stat(bin); there != nil {
			return "", fmt.Errorf("tools: %w", err)
		}
	}
	return bin, nil
}

// tail is the end of a long text: where a compiler says what is wrong.
func tail(text []byte) []byte {
	const enough = 4096
	return text[max(0, len(text)-enough):]
}
