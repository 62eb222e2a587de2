package drop

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// takenDir has a folder for each file that is under way, named by its ID, so that what is dropped under the same name meanwhile is
	// another file.
	takenDir = "taken/"
	// writing begins the name, in takenDir, of what is being written. It is removed only when nobody can be writing.
	writing  = ".writing-"
	lockName = ".foodtrace.lock"
	// DefaultSettle is how long a file must have stayed as it is before it is taken to be complete: a sender that pauses longer writes under
	// another name and renames.
	DefaultSettle = 5 * time.Second
	// standbyPoll is how often a gateway that stands by looks whether the other one has ended.
	standbyPoll = time.Second
)

// Directory is a directory into which files are dropped.
type Directory struct {
	Path   string
	Settle time.Duration // 0: DefaultSettle
}

// OfDirectory returns the feed of a directory.
func OfDirectory(d Directory, c Config) *Feed {
	return newFeed(c, &directory{Directory: Directory{Path: d.Path, Settle: cmp.Or(d.Settle, DefaultSettle)}, seen: map[string]sight{}})
}

// directory is a place. Nothing outside of it is ever opened: os.Root follows no link that leads out, and files that are links are not taken.
type directory struct {
	Directory
	root *os.Root
	seen map[string]sight // of the last sweep, by name
}

// sight is how a file looked, and since when it looks so.
type sight struct {
	size     int64
	modified time.Time
	since    time.Time
}

func (d *directory) String() string { return "directory " + d.Path }

// hold locks a file in the directory. The lock ends with the process.
func (d *directory) hold(ctx context.Context, standby func()) (<-chan struct{}, func(), error) {
	root, err := os.OpenRoot(d.Path)
	if err != nil {
		return nil, nil, err
	}
	lock, err := d.lock(ctx, root, standby)
	if err == nil {
		for _, dir := range []string{takenDir, doneDir, rejectedDir} {
			err = errors.Join(err, root.MkdirAll(path.Clean(dir), 0o750))
		}
	}
	if err == nil {
		err = clear(root)
	}
	if err != nil {
		if lock != nil {
			err = errors.Join(err, lock.Close())
		}
		return nil, nil, errors.Join(err, root.Close())
	}
	d.root = root
	return nil, func() { root.Close(); lock.Close() }, nil
}

// clear removes what an earlier process did not write to its end.
func clear(root *os.Root) error {
	list, err := fs.ReadDir(root.FS(), path.Clean(takenDir))
	for _, e := range list {
		if strings.HasPrefix(e.Name(), writing) {
			err = errors.Join(err, root.Remove(takenDir+e.Name()))
		}
	}
	return err
}

func (d *directory) lock(ctx context.Context, root *os.Root, standby func()) (*os.File, error) {
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("%s cannot be locked: %w", filepath.Join(d.Path, lockName), err), f.Close())
		}
		standby()
		if !pause(ctx, standbyPoll, nil) {
			return nil, errors.Join(ctx.Err(), f.Close())
		}
	}
}

// watch has the system tell what happens in the directory.
func (d *directory) watch(ctx context.Context, wake func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(d.Path); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.Events:
			if e.Has(fsnotify.Create) { // its end is found by waiting
				wake()
			}
		case <-w.Errors: // events were lost: sweeps find what they told
			wake()
		}
	}
}

// list returns what was taken before, then the files that are complete.
func (d *directory) list(context.Context) (listing, error) {
	if err := d.there(); err != nil {
		return listing{}, err
	}
	taken, err := d.taken()
	if err != nil {
		return listing{}, err
	}
	entries, err := d.entries(".")
	if err != nil {
		return listing{}, err
	}
	l, seen, now := listing{ignored: map[string]error{}}, map[string]sight{}, time.Now()
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || e.IsDir() && slices.Contains([]string{takenDir, doneDir, rejectedDir}, name+"/") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return listing{}, err
		}
		if why := unfit(info); why != nil {
			l.ignored[name] = why
			continue
		}
		s := d.look(name, info, now)
		seen[name] = s
		if rest := d.Settle - max(now.Sub(s.since), now.Sub(s.modified)); rest > 0 {
			l.growing++
			l.again = max(gather, min(rest, cmp.Or(l.again, rest)))
			continue
		}
		l.files = append(l.files, file{name: name, path: name, size: info.Size(), modified: info.ModTime()})
	}
	d.seen = seen
	slices.SortFunc(l.files, earlier)
	l.files = append(taken, l.files...)
	return l, nil
}

func earlier(a, b file) int {
	return cmp.Or(a.modified.Compare(b.modified), strings.Compare(a.name, b.name))
}

// unfit says why something in the directory is not taken.
func unfit(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return errors.New("folders are not taken: drop files themselves")
	case mode&fs.ModeSymlink != 0:
		return errors.New("links are not followed: drop files themselves")
	}
	return errors.New("this is no file")
}

// look compares a file with how it was when it was last looked at.
func (d *directory) look(name string, info fs.FileInfo, now time.Time) sight {
	s, ok := d.seen[name]
	if !ok || s.size != info.Size() || !s.modified.Equal(info.ModTime()) {
		return sight{info.Size(), info.ModTime(), now}
	}
	return s
}

// there reports whether the directory is still the one that was opened.
func (d *directory) there() error {
	now, err := os.Stat(d.Path)
	if err != nil {
		return err
	}
	own, err := d.root.Stat(".")
	if err == nil && !os.SameFile(now, own) {
		err = fmt.Errorf("%s is another directory now; start the gateway again", d.Path)
	}
	return err
}

func (d *directory) entries(dir string) ([]fs.DirEntry, error) {
	f, err := d.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(maxListed)
	if err == io.EOF {
		err = nil
	}
	return list, err
}

// taken returns the files in taken/, and removes the folders there that are empty.
func (d *directory) taken() (list []file, err error) {
	folders, err := d.entries(path.Clean(takenDir))
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		id := folder.Name()
		if strings.HasPrefix(id, writing) {
			continue
		}
		in, err := d.entries(takenDir + id)
		if err != nil || len(in) == 0 {
			_ = d.root.Remove(takenDir + id) // an empty one, left by a crash; what else somebody put there stays
			continue
		}
		info, err := in[0].Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		list = append(list, file{name: in[0].Name(), path: takenDir + id + "/" + in[0].Name(), id: id, begun: true, size: info.Size(), modified: info.ModTime()})
	}
	slices.SortFunc(list, earlier)
	return list, nil
}

// take renames a file into a folder of its own.
func (d *directory) take(_ context.Context, f file) (file, error) {
	if f.id != "" {
		return f, nil
	}
	if err := d.readable(f.path); err != nil {
		return f, err
	}
	id := rand.Text()
	folder := takenDir + id
	if err := d.root.Mkdir(folder, 0o750); err != nil {
		return f, fmt.Errorf("drop: %w", err)
	}
	to := folder + "/" + f.name
	if err := d.root.Rename(f.path, to); err != nil {
		err = errors.Join(err, d.root.Remove(folder))
		if errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		return f, fmt.Errorf("drop: a file cannot be moved out of the directory: %v", err) // not the file's fault
	}
	if err := errors.Join(d.sync(folder), d.sync(path.Clean(takenDir)), d.sync(".")); err != nil { // else it would be taken under another ID after a power failure
		return f, err
	}
	f.path, f.id = to, id
	return f, nil
}

// readable reports why a file that stands in the directory cannot be read.
func (d *directory) readable(name string) error {
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func (d *directory) sync(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *directory) open(_ context.Context, f file) (io.ReadCloser, error) {
	body, err := d.root.OpenFile(f.path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := body.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("drop: %s: %w", f.path, unfit(info))
	}
	if err != nil {
		return nil, errors.Join(err, body.Close())
	}
	return body, nil
}

func (d *directory) size(_ context.Context, path string) (int64, error) {
	info, err := d.root.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d *directory) read(_ context.Context, path string) ([]byte, error) {
	return d.root.ReadFile(path)
}

func (d *directory) write(ctx context.Context, name string, body []byte) error {
	return d.stream(ctx, name, func(out io.Writer) error {
		_, err := out.Write(body)
		return err
	})
}

func (d *directory) stream(_ context.Context, name string, fill func(io.Writer) error) error {
	temp := takenDir + writing + path.Base(name) // nobody else writes this name
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		return err
	}
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, d.root.Remove(temp))
	}
	return d.sync(path.Dir(name))
}

// move renames a taken file to its side. The folder that was its own goes with it.
func (d *directory) move(_ context.Context, f file, to string) error {
	err := d.root.Rename(f.path, to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // else it was moved before, or somebody took it away
		return err
	}
	if err := d.sync(path.Dir(to)); err != nil {
		return err
	}
	_ = d.root.Remove(path.Dir(f.path)) // if it does not go, a later sweep removes it
	return nil
}
