package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// pace is how slowly a document may come.
type pace struct {
	stall time.Duration // nothing comes for so long
	whole time.Duration // for all of it
	grace time.Duration // from then on it must have come at
	rate  float64       // bytes a second, on average
}

// senderPace is patient with a telephone at the edge of a field, and not with who only holds a connection.
func senderPace(whole time.Duration) pace {
	return pace{stall: 30 * time.Second, whole: whole, grace: time.Minute, rate: 1 << 10}
}

// errSlow: the sender is slower than the pace. problem.Of knows it as what it wraps.
var errSlow = fmt.Errorf("gateway: the body comes too slowly: %w", os.ErrDeadlineExceeded)

// steadyBody is a body whose sender has to keep a pace.
type steadyBody struct {
	io.ReadCloser
	pace
	control *http.ResponseController
	began   time.Time
	looked  time.Time
	n       int64
}

func steady(w http.ResponseWriter, body io.ReadCloser, p pace) *steadyBody {
	return &steadyBody{ReadCloser: body, pace: p, control: http.NewResponseController(w), began: time.Now()}
}

// broken is a problem of the sender: the body ends before its length says, or is cut into pieces that make no sense.
func broken(err error) error {
	return fmt.Errorf("%w: %w", problem.New(http.StatusBadRequest, problem.BadRequest, "The body broke off before its end, and nothing of it was kept. Send it again."), err)
}

// Read returns errSlow, or os.ErrDeadlineExceeded, when the sender is too slow, and a *[problem.Problem] when the body breaks off.
func (s *steadyBody) Read(b []byte) (int, error) {
	now := time.Now()
	if now.Sub(s.looked) > s.stall/30 { // not at each of the many reads
		s.looked = now
		if took := now.Sub(s.began); took > s.whole || took > s.grace && float64(s.n) < s.rate*took.Seconds() {
			return 0, errSlow
		}
		_ = s.control.SetReadDeadline(now.Add(s.stall)) // where it is not supported, the gateway's own deadline holds
	}
	n, err := s.ReadCloser.Read(b)
	s.n += int64(n)
	if err != nil { // the server watches the connection while the request is answered
		_ = s.control.SetReadDeadline(s.began.Add(s.whole))
		if err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
			err = broken(err)
		}
	}
	return n, err
}
