// Command altered is a chaincode service that a dishonest member might run: to it, whoever submits is a regulator.
package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/foodtrace-ledger/foodtrace/chaincode/fabric"
)

type altered struct{ *fabric.Chaincode }

func (a altered) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	return a.Chaincode.Invoke(promoted{stub})
}

type promoted struct{ shim.ChaincodeStubInterface }

func (p promoted) GetCreator() ([]byte, error) {
	creator, err := p.ChaincodeStubInterface.GetCreator()
	var id msp.SerializedIdentity
	if err == nil {
		err = proto.Unmarshal(creator, &id)
	}
	if err != nil {
		return nil, err
	}
	id.Mspid = "regulator"
	return proto.Marshal(&id)
}

func main() {
	if err := run(); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pair, err := tls.LoadX509KeyPair(os.Getenv("CHAINCODE_TLS_CERT"), os.Getenv("CHAINCODE_TLS_KEY"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", os.Getenv("CHAINCODE_SERVER_ADDRESS"))
	if err != nil {
		return err
	}
	chaincode := altered{fabric.New(time.Now, slog.Default())}
	service := fabric.NewService(os.Getenv("CHAINCODE_ID"), chaincode, slog.Default())
	return service.Serve(ctx, listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
}
