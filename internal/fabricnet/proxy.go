package fabricnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// proxies stand before the orderers, so that one can be cut off from all others and its clients as by a broken cable: what
// is sent is lost and nobody is told. Everybody knows the orderers by the addresses of the proxies.
type proxies struct {
	ports func(orderer string) (map[int]bool, error) // local TCP ports of the orderer's process

	mu        sync.Mutex
	listeners []net.Listener
	links     []*link
	cutOff    map[string]bool
	running   sync.WaitGroup
}

// link is a connection to an orderer.
type link struct {
	orderer string
	client  net.Conn // from whoever connected
	server  net.Conn // to the orderer; nil when it began cut
	cut     bool     // nothing gets through any more, not even after the orderer is back
}

const dialTimeout = 5 * time.Second // to an orderer on this machine

// listen starts the proxy of an orderer.
func (p *proxies) listen(orderer, address, target string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("fabricnet: the proxy of %s: %w", orderer, err)
	}
	p.mu.Lock()
	p.listeners = append(p.listeners, l)
	p.mu.Unlock()
	p.running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed
			}
			p.running.Go(func() { p.serve(&link{orderer: orderer, client: client}, target) })
		}
	})
	return nil
}

func (p *proxies) serve(k *link, target string) {
	p.mu.Lock()
	p.links = append(p.links, k)
	k.cut = p.isCut(k)
	cut := k.cut
	p.mu.Unlock()
	defer p.drop(k)
	if cut {
		_, _ = io.Copy(io.Discard, k.client)
		return
	}
	server, err := net.DialTimeout("tcp", target, dialTimeout)
	if err != nil {
		return // the orderer is down: the client sees its connection end
	}
	p.mu.Lock()
	k.server = server
	p.mu.Unlock()
	back := make(chan struct{})
	go func() {
		defer close(back)
		p.copy(k, k.client, server)
	}()
	p.copy(k, server, k.client)
	<-back
}

// copy passes on what src sends until either side ends; what comes while the link is cut is lost.
func (p *proxies) copy(k *link, dst, src net.Conn) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !k.cut { // the end of a connection is not seen through a cut link
			dst.Close()
			src.Close()
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := src.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		cut := k.cut
		p.mu.Unlock()
		if cut {
			continue
		}
		if _, err := dst.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// isCut says whether a link leads to or from an orderer that is cut off.
func (p *proxies) isCut(k *link) bool {
	if p.cutOff[k.orderer] {
		return true
	}
	port := k.client.RemoteAddr().(*net.TCPAddr).Port
	for name := range p.cutOff {
		if ports, err := p.ports(name); err == nil && ports[port] {
			return true
		}
	}
	return false
}

func (p *proxies) drop(k *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k.close()
	p.links = slices.DeleteFunc(p.links, func(other *link) bool { return other == k })
}

func (k *link) close() {
	k.client.Close()
	if k.server != nil {
		k.server.Close()
	}
}

// cut cuts an orderer off.
func (p *proxies) cut(orderer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutOff[orderer] = true
	for _, k := range p.links {
		k.cut = k.cut || p.isCut(k)
	}
}

// heal ends it. Links that were cut end, so that both sides connect anew.
func (p *proxies) heal(orderer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.cutOff, orderer)
	for _, k := range p.links {
		if k.cut {
			k.close()
		}
	}
}

func (p *proxies) close() {
	p.mu.Lock()
	for _, l := range p.listeners {
		l.Close()
	}
	for _, k := range p.links {
		k.close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// startProxies starts a proxy before each orderer.
func (n *Network) startProxies() error {
	n.proxies = &proxies{cutOff: map[string]bool{}, ports: func(orderer string) (map[int]bool, error) {
		found, err := n.find()
		if err != nil {
			return nil, err
		}
		return localPorts(found[orderer].pid)
	}}
	for _, name := range orderers {
		if err := n.proxies.listen(name, n.state.address(n.entrance(name)), n.state.address(name+"/listen")); err != nil {
			return err
		}
	}
	return nil
}

var errNoProxy = errors.New("fabricnet: the network has no proxies (Options.Proxy)")

// Partition cuts an orderer off from the other orderers and from all clients, until Heal. Other than on Linux, what the
// orderer itself sends still arrives.
func (n *Network) Partition(orderer string) error {
	if n.proxies == nil {
		return errNoProxy
	}
	if !slices.Contains(orderers[:], orderer) {
		return fmt.Errorf("fabricnet: there is no orderer %q", orderer)
	}
	n.proxies.cut(orderer)
	return nil
}

// Heal ends a partition.
func (n *Network) Heal(orderer string) error {
	if n.proxies == nil {
		return errNoProxy
	}
	n.proxies.heal(orderer)
	return nil
}
