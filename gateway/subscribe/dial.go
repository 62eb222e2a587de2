package subscribe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Limits of one call of a receiver.
const (
	dialTime    = 10 * time.Second // name, connection and TLS
	callTime    = 30 * time.Second // all of it: a receiver is to keep a delivery and answer, not to work on it
	answerBytes = 64 << 10         // that are read of an answer, so that the connection can be used again
	headerBytes = 16 << 10         // of an answer's header
	idleTime    = time.Minute      // for which an unused connection is kept
)

// errForbidden: the address is not one that may be called.
var errForbidden = errors.New("the address of the receiver is not public, and is not allowed in this gateway's configuration (subscriptions.allow)")

// reserved are the networks that the standard library does not know as private but that are not the public's either
// (IANA special-purpose address registries), and those in which an IPv4 address hides.
var reserved = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, text := range list {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// guard decides which addresses may be called.
type guard struct {
	allow []netip.Prefix // besides public ones
}

// check refuses what is not public and not allowed. Without TLS, only what is allowed is called: everybody on the way could
// read it.
func (g guard) check(ip netip.Addr, secure bool) error {
	ip = ip.Unmap().WithZone("")
	if in(g.allow, ip) {
		return nil
	}
	if !secure {
		return errors.New("the receiver is called without TLS, and its address is not allowed in this gateway's configuration (subscriptions.allow)")
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || in(reserved, ip) { // loopback, link-local and multicast are no global unicast
		return errForbidden
	}
	return nil
}

func in(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// client calls receivers. What an address may be is decided when it is dialled, after its name was looked up, so that a name
// that first leads to a public address and then to an inner one opens nothing. Redirects are not followed, and no proxy of
// the environment is asked: both would lead elsewhere than the guard sees.
func (g guard) client(secure bool) *http.Client {
	dialer := &net.Dialer{Timeout: dialTime, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%q is no address: %w", address, err)
		}
		return g.check(at.Addr(), secure)
	}}
	return &http.Client{
		Timeout:       callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTime, ForceAttemptHTTP2: true, MaxIdleConns: slots, MaxIdleConnsPerHost: 1,
			IdleConnTimeout: idleTime, MaxResponseHeaderBytes: headerBytes, DisableCompression: true},
	}
}
