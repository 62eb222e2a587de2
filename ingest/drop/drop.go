// Package drop takes the files that somebody drops into a directory or a bucket. Each is captured; then it lies in done/ with a receipt
// beside it, or in rejected/ with the reasons. Nothing is lost or written twice, whenever the process dies: a file's capture job has an ID
// that the file gives, so doing all of it again does nothing again. docs/decisions/0011 says how several gateways share one place.
package drop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

// Capturer takes documents: capture.Service.
type Capturer interface {
	Receive(ctx context.Context, req capture.Request) (capture.Job, error)
	Job(ctx context.Context, member, id string) (capture.Job, error)
	Outcomes(ctx context.Context, member, id string, from, limit int) ([]capture.Outcome, error)
	Table(ctx context.Context, member, id string) (*capture.Table, error)
}

// Config says what becomes of the files of a place.
type Config struct {
	Capture Capturer
	Member  string // MSP ID in whose name the files are captured
	Proceed bool   // each record of a file stands alone; otherwise a file is captured whole or not at all
	Mapping []byte // the mapping file by which sheets are read; nil: none
	// Language of the sheets that come back with what is wrong.
	Language capture.Language
	Log      *slog.Logger
	Now      func() time.Time
}

const (
	// atOnce is how many files are under way at one time: some wait for the ledger while the next are kept. They are begun in the order in
	// which they came.
	atOnce = 8
	// maxListed bounds the files that one sweep looks at; the others wait for the next one.
	maxListed = 10_000
	// defaultSweep is how often a place is looked through, whatever it tells by itself.
	defaultSweep = 10 * time.Second
	// listenAgain is how often it is tried again to be told: a server that cannot tell will not learn it soon.
	listenAgain = time.Minute
	// drainTime is how long the files that are under way may take to end when the gateway stops: less than it gives to requests.
	drainTime = 5 * time.Second
	// gather is the pause between a sign that something came and the look: many files come together.
	gather = 100 * time.Millisecond

	// What is away or full is tried again: soon at first.
	againSoon = 50 * time.Millisecond
	againLate = 10 * time.Second
)

// Folders beside the dropped files, and the ends of the names of what is written there.
const (
	doneDir     = "done/"
	rejectedDir = "rejected/"
	receiptEnd  = ".receipt.json"
	reasonsEnd  = ".reasons.json"
	sheetEnd    = ".problems" // and .csv or .xlsx
)

// place is where files are dropped. Paths are relative to it, with "/" between. Errors are fs.ErrNotExist where there is no such file and
// fs.ErrPermission where it may not be read or written.
type place interface {
	fmt.Stringer
	// hold returns once this process alone works the place, which it does until lost is closed (nil: for good). standby is called while
	// another one does.
	hold(ctx context.Context, standby func()) (lost <-chan struct{}, release func(), err error)
	// watch calls wake when something may have come, until ctx ends; it returns nil where the place tells nothing by itself.
	watch(ctx context.Context, wake func()) error
	list(ctx context.Context) (listing, error)
	// take makes the file one that nobody replaces, and gives it its ID.
	take(ctx context.Context, f file) (file, error)
	open(ctx context.Context, f file) (io.ReadCloser, error)
	size(ctx context.Context, path string) (int64, error)
	read(ctx context.Context, path string) ([]byte, error)
	// write replaces a file as a whole, durably.
	write(ctx context.Context, path string, body []byte) error
	// stream does so with what fill writes; where fill fails, the file stays as it was.
	stream(ctx context.Context, path string, fill func(io.Writer) error) error
	// move ends the taking of a file. Where it was moved already, it does nothing.
	move(ctx context.Context, f file, to string) error
}

// file is one that was dropped.
type file struct {
	name string // as it was dropped
	path string // where it is
	id   string // no other file ever has it; "" before it is taken
	// begun: an earlier process may have taken it.
	begun    bool
	size     int64
	modified time.Time
	etag     string // bucket: the content
	version  string // bucket: the version, "" where it keeps none
}

// listing is what a sweep found.
type listing struct {
	files   []file           // complete, in the order in which they are taken
	ignored map[string]error // what is there and is not taken, with the reason
	growing int              // files that are being written
	again   time.Duration    // after which these may be complete
}

// Feed works one place.
type Feed struct {
	Config
	place place
	every time.Duration

	mu       sync.Mutex
	under    map[string]error // paths of the files under way, with what the last try failed with
	names    map[string]bool  // paths that are about to be written, on either side
	stuck    map[string]error // what cannot be taken as it is, with the reason
	known    map[string]error // likewise, of the sweep before: it has been said
	failed   error            // what the last sweep failed with; nil: the place works
	standby  bool             // another gateway works it
	done     uint64
	rejected uint64
	waiting  int
}

func newFeed(c Config, p place) *Feed {
	return &Feed{Config: c, place: p, every: defaultSweep, under: map[string]error{}, names: map[string]bool{}, stuck: map[string]error{}}
}

// String names the place for people.
func (f *Feed) String() string { return f.place.String() }

// Check says what keeps the feed from working. One that stands by for another gateway works.
func (f *Feed) Check(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.trouble(); err != nil {
		return fmt.Errorf("the drop feed of %s does not work: %w", f.place, err)
	}
	return nil
}

// trouble is why nothing gets on: the last sweep failed, or no file under way can end. The caller has the lock.
func (f *Feed) trouble() error {
	err := f.failed
	for _, of := range f.under {
		if of == nil {
			return f.failed
		}
		err = cmp.Or(err, of)
	}
	return err
}

// Figures are what a feed has done since the process began.
type Figures struct {
	Done, Rejected uint64 // files
	Waiting        int    // files that were seen and are not through
	Stuck          int    // what is there and cannot be taken as it is; the log says why
	Failing        bool
	Standby        bool // another gateway works the place
}

// Figures returns them as of now.
func (f *Feed) Figures() Figures {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Figures{f.done, f.rejected, f.waiting + len(f.under), len(f.stuck), f.trouble() != nil, f.standby}
}

// Run works the place until ctx ends. An error is for trying again later.
func (f *Feed) Run(ctx context.Context) error {
	lost, release, err := f.place.hold(ctx, func() { f.state(nil, true) })
	if err != nil {
		if ctx.Err() == nil {
			f.state(err, false)
		}
		return err
	}
	defer release()
	f.Log.Info("this gateway takes what is dropped", "place", f.place)
	return f.work(ctx, lost)
}

func (f *Feed) state(failed error, standby bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed, f.standby = failed, standby
}

// work sweeps again and again while the place is held. At the end it lets the files that are under way end theirs for a while, so that no
// other gateway has to begin with them anew. It returns when nothing is under way any more.
func (f *Feed) work(ctx context.Context, lost <-chan struct{}) error {
	going, end := context.WithCancel(context.WithoutCancel(ctx)) // of what is under way
	taking, stop := context.WithCancel(ctx)                      // of what begins
	var under sync.WaitGroup
	defer under.Wait()
	defer end()
	defer stop()
	wake := make(chan struct{}, 1)
	under.Go(func() { f.watch(taking, wake) })
	under.Go(func() {
		select {
		case <-lost:
			end()
			stop()
		case <-going.Done():
		}
	})
	s := sweeper{Feed: f, slots: make(chan struct{}, atOnce), under: &under, going: going}
	var said said
	for taking.Err() == nil {
		wait, err := s.sweep(taking)
		if taking.Err() != nil {
			break
		}
		f.state(err, false)
		switch {
		case err == nil && said.what != "":
			f.Log.Info("a drop feed works again", "place", f.place)
			said.what = ""
		case err != nil && said.anew(err):
			f.Log.Error("a drop feed does not work; it is tried again", "place", f.place, "err", err)
		}
		if pause(taking, wait, wake) {
			pause(taking, gather, nil)
		}
	}
	if going.Err() != nil {
		return errors.New("drop: another gateway may have taken over")
	}
	s.drain()
	return ctx.Err()
}

// pause waits, for a sign at the most, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration, sign <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-sign:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// watch has a sign sent when something came, as long as the place can tell. Sweeps find the rest.
func (f *Feed) watch(ctx context.Context, wake chan<- struct{}) {
	sign := func() {
		select {
		case wake <- struct{}{}:
		default: // one is enough
		}
	}
	for said := false; ctx.Err() == nil; {
		err := f.place.watch(ctx, sign)
		if err == nil || ctx.Err() != nil {
			return
		}
		if !said {
			f.Log.Warn("the place of a drop feed does not tell when something comes: it is looked through now and then", "place", f.place, "every", f.every, "err", err)
			said = true
		}
		pause(ctx, listenAgain, nil)
	}
}

// sweeper works the files of a place that is held.
type sweeper struct {
	*Feed
	slots chan struct{}
	under *sync.WaitGroup
	going context.Context // of the files under way
	swept bool            // once: what came since is new
}

// drain waits until all slots are free, for some time.
func (s *sweeper) drain() {
	ctx, cancel := context.WithTimeout(s.going, drainTime)
	defer cancel()
	for range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// sweep takes what is there and begins to capture it, and says after which time to look again.
func (s *sweeper) sweep(ctx context.Context) (wait time.Duration, err error) {
	found, err := s.place.list(ctx)
	if err != nil {
		return s.every, err
	}
	s.ignore(found.ignored)
	s.count(found)
	var errs []error
	for _, next := range found.files {
		next.begun = next.begun || !s.swept
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if err := s.begin(ctx, next); err != nil {
			errs = append(errs, err)
			if hopeless(err) {
				break
			}
		}
	}
	s.swept = s.swept || len(errs) == 0
	if found.again > 0 {
		return min(s.every, found.again), errors.Join(errs...)
	}
	return s.every, errors.Join(errs...)
}

// hopeless: no other file has better luck just now.
func hopeless(err error) bool {
	return errors.Is(err, evidence.ErrUnavailable) || errors.Is(err, capture.ErrBusy) || errors.Is(err, syscall.ENOSPC)
}

func (f *Feed) count(found listing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = found.growing
	for _, next := range found.files {
		if _, under := f.under[next.path]; !under {
			f.waiting++
		}
	}
}

// ignore notes what is not taken, and says each once.
func (f *Feed) ignore(what map[string]error) {
	f.mu.Lock()
	before := f.stuck
	f.stuck, f.known = map[string]error{}, before
	f.mu.Unlock()
	for name, reason := range what {
		f.stick(name, reason)
	}
}

// stick notes that something cannot be taken as it is.
func (f *Feed) stick(path string, reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stuck[path] = reason
	if f.known[path] == nil {
		f.Log.Warn("something in a drop feed is not taken", "place", f.place, "name", path, "err", reason)
	}
}

// begin takes a file and keeps it; what then becomes of it is waited for beside. It gives back the slot.
func (s *sweeper) begin(ctx context.Context, next file) error {
	free := func() { <-s.slots }
	if !s.enter(next.path) {
		free()
		return nil // it is under way
	}
	taken, err := s.place.take(ctx, next)
	if err == nil && taken.path != next.path { // nobody else sees it there
		s.leave(next.path)
		s.enter(taken.path)
	}
	var end func(context.Context) error
	if err == nil {
		end, err = s.receive(ctx, taken)
	} else {
		taken = next
	}
	if err != nil {
		s.leave(taken.path)
		free()
		return s.excuse(next, err)
	}
	s.mu.Lock()
	s.waiting-- // it is under way
	s.mu.Unlock()
	s.under.Go(func() {
		defer free()
		defer s.leave(taken.path)
		s.again(s.going, taken, end)
	})
	return nil
}

// excuse turns an error about one file alone into a remark.
func (f *Feed) excuse(next file, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist): // somebody took it away or is replacing it
		return nil
	case errors.Is(err, fs.ErrPermission):
		f.stick(next.path, fmt.Errorf("it may not be read: %w", err))
		return nil
	}
	return fmt.Errorf("%s: %w", show(next.name), err)
}

func (f *Feed) enter(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, under := f.under[path]; under {
		return false
	}
	f.under[path] = nil
	return true
}

func (f *Feed) leave(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.under, path)
}

// again does something about a file until it works or ctx ends.
func (f *Feed) again(ctx context.Context, of file, do func(context.Context) error) {
	var said said
	for wait := againSoon; ctx.Err() == nil; wait = min(2*wait, againLate) {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		f.mu.Lock()
		f.under[of.path] = err
		f.mu.Unlock()
		if said.anew(err) {
			f.Log.Error("a dropped file waits; it is tried again", "place", f.place, "name", show(of.name), "err", err)
		}
		pause(ctx, wait, nil)
	}
}

// said is the trouble that was logged last. While it stays it is not told with every try.
type said struct {
	what string
	at   time.Time
}

// sayAgain is after which time trouble that stays is told again.
const sayAgain = 10 * time.Minute

// anew reports whether an error is to be logged: it is another one than before, or a while has passed. What the system says counts, not the
// name of a temporary file before it.
func (s *said) anew(err error) bool {
	what := err.Error()
	var no syscall.Errno
	if errors.As(err, &no) {
		what = no.Error()
	}
	now := time.Now()
	if s.what == what && now.Sub(s.at) < sayAgain {
		return false
	}
	*s = said{what, now}
	return true
}
