package bed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Door stands before the mail provider and speaks TLS, as a real provider does. It can cut connections in the middle of
// the handshake: then it is certain that not one byte of a request was written, which a refused plain connection is not
// (the client may have written before it hears of the reset).
type Door struct {
	// Env makes a process of the product go through the door.
	Env []string

	inner    string
	secret   *tls.Config
	listener net.Listener

	mu    sync.Mutex
	rand  *rand.Rand
	share float64
	cuts  int
}

// Door opens one. Close it when the run is over.
func (b *Bed) Door() (*Door, error) {
	cert, file, err := selfSigned(b.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the providers' door: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the providers' door: %w", err)
	}
	d := &Door{
		Env:   []string{"SENDGRID_BASE_URL=https://" + l.Addr().String(), "SSL_CERT_FILE=" + file},
		inner: strings.TrimPrefix(b.fakeURL, "http://"), listener: l,
		secret: &tls.Config{Certificates: []tls.Certificate{cert}}, rand: rand.New(rand.NewPCG(b.Seed, 6)),
	}
	go d.serve()
	return d, nil
}

// Cut sets the share of connections that are cut from now on, 0 to 1.
func (d *Door) Cut(share float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.share = share
}

// Cuts is how many connections were cut so far.
func (d *Door) Cuts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cuts
}

// Close stops taking connections.
func (d *Door) Close() { _ = d.listener.Close() }

func (d *Door) serve() {
	for {
		in, err := d.listener.Accept()
		if err != nil {
			return
		}
		if d.cut() {
			if tcp, ok := in.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = in.Close()
			continue
		}
		go d.pass(tls.Server(in, d.secret))
	}
}

func (d *Door) cut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut := d.rand.Float64() < d.share
	if cut {
		d.cuts++
	}
	return cut
}

func (d *Door) pass(in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", d.inner)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close() // the client has gone, and the provider is to notice
	}()
	_, _ = io.Copy(in, out)
	_ = out.Close()
}

// selfSigned makes a certificate for 127.0.0.1 and writes it to a file that the product is told to trust.
func selfSigned(dir string) (cert tls.Certificate, file string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return cert, "", fmt.Errorf("make a key: %w", err)
	}
	like := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(crand.Reader, like, like, &key.PublicKey, key)
	if err != nil {
		return cert, "", fmt.Errorf("make a certificate: %w", err)
	}
	file = filepath.Join(dir, "door.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return cert, "", fmt.Errorf("write a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file, nil
}
