package fabricnet

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What the nodes tell of themselves (Prometheus text format).
const (
	metricHeight   = `ledger_blockchain_height{channel="` + channel + `"}`
	metricLeader   = `consensus_etcdraft_is_leader{channel="` + channel + `"}`
	metricsTimeout = 5 * time.Second
)

// Leader returns the name of the orderer that leads, "" while there is none.
func (n *Network) Leader(ctx context.Context) (string, error) {
	var errs []error
	for _, name := range orderers {
		v, err := n.metric(ctx, ordering, name, metricLeader)
		if err == nil && v == 1 {
			return name, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == len(orderers) && errs[0] != nil && errs[1] != nil && errs[2] != nil {
		return "", errors.Join(errs...)
	}
	return "", nil
}

// ProcessorTimes returns the processor time that each process of the network has used since its start, by name. It is known
// on Linux only.
func (n *Network) ProcessorTimes() (map[string]time.Duration, error) {
	found, err := n.find()
	if err != nil {
		return nil, err
	}
	times := map[string]time.Duration{}
	for id, r := range found {
		name, _, _ := strings.Cut(id, "#")
		times[name] += processorTime(r.pid)
	}
	return times, nil
}

// height is the number of blocks that an orderer or a member's peer has.
func (n *Network) height(ctx context.Context, name string) (uint64, error) {
	org := ordering
	if msp, isPeer := strings.CutPrefix(name, peerName("")); isPeer {
		org = msp
	}
	return n.metric(ctx, org, name, metricHeight)
}

// metric reads one figure of a node of an organisation. A figure that is not there is 0.
func (n *Network) metric(ctx context.Context, org, node, name string) (uint64, error) {
	client, err := n.operator(org)
	if err != nil {
		return 0, err
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, metricsTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+n.state.address(node+"/operations")+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("fabricnet: %s answers %s", r.URL, response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			return uint64(v), err
		}
	}
	return 0, lines.Err()
}

// operator is an HTTP client with the certificate of an organisation's administrator.
func (n *Network) operator(org string) (*http.Client, error) {
	pool, err := certPool(n.org(org, "msp", "cacerts", "ca.pem"))
	if err != nil {
		return nil, err
	}
	dir := n.org(org, admin, "tls")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}}}, nil
}
