// Package certificate makes the keys and certificates of one development cluster. It only writes
// into the folder it is given and never replaces an authority that is still good.
package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime is far longer than a development cluster is kept.
const lifetime = 365 * 24 * time.Hour

// remaining is the least lifetime with which an existing set is used again.
const remaining = 7 * 24 * time.Hour

// Leaf describes one certificate.
type Leaf struct {
	Name          string // file name without ending
	CommonName    string // the Kubernetes user
	Organizations []string
	DNSNames      []string
	Addresses     []net.IP
}

// Authority signs the certificates of one cluster.
type Authority struct {
	folder      string
	certificate *x509.Certificate
	key         crypto.Signer
}

// Open loads the authority of the folder, or makes one where there is none or it is about to expire.
func Open(folder string) (*Authority, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{folder: folder}
	if certificate, key, err := load(folder, "ca"); err == nil && time.Until(certificate.NotAfter) > remaining {
		a.certificate, a.key = certificate, key
		return a, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "seedloom-development-cluster"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	a.key = key
	a.certificate, err = a.sign("ca", template, template, key)
	return a, err
}

// CertificateFile returns the path of a certificate; "ca" is the authority's.
func (a *Authority) CertificateFile(name string) string {
	return filepath.Join(a.folder, name+".crt")
}

// KeyFile returns the path of a private key.
func (a *Authority) KeyFile(name string) string { return filepath.Join(a.folder, name+".key") }

// Issue makes the certificate and key of a leaf unless a good pair is there already.
func (a *Authority) Issue(leaf Leaf) error {
	if existing, _, err := load(a.folder, leaf.Name); err == nil && a.covers(existing, leaf) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: leaf.CommonName, Organization: leaf.Organizations},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    leaf.DNSNames,
		IPAddresses: leaf.Addresses,
	}
	_, err = a.sign(leaf.Name, template, a.certificate, key)
	return err
}

// SigningKey makes a key pair without a certificate, for ServiceAccount tokens.
func (a *Authority) SigningKey(name string) error {
	private, public := a.KeyFile(name), filepath.Join(a.folder, name+".pub")
	if _, err := os.Stat(private); err == nil {
		if _, err := os.Stat(public); err == nil {
			return nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writeKey(private, key); err != nil {
		return err
	}
	return writePEM(public, "PUBLIC KEY", encoded, 0o644)
}

// Kubeconfig returns a configuration that reaches the server as the leaf's user. It carries the
// private key, so it is as secret as the key.
func (a *Authority) Kubeconfig(leaf, server string) ([]byte, error) {
	authority, err := os.ReadFile(a.CertificateFile("ca"))
	if err != nil {
		return nil, err
	}
	certificate, err := os.ReadFile(a.CertificateFile(leaf))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(a.KeyFile(leaf))
	if err != nil {
		return nil, err
	}
	encode := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: seedloom
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: seedloom
  context:
    cluster: seedloom
    user: %s
current-context: seedloom
`, server, encode(authority), leaf, encode(certificate), encode(key), leaf), nil
}

// covers says whether an existing certificate still is what the leaf asks for.
func (a *Authority) covers(existing *x509.Certificate, leaf Leaf) bool {
	if existing.CheckSignatureFrom(a.certificate) != nil || time.Until(existing.NotAfter) < remaining {
		return false
	}
	if existing.Subject.CommonName != leaf.CommonName {
		return false
	}
	for _, name := range leaf.DNSNames {
		if existing.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, address := range leaf.Addresses {
		if existing.VerifyHostname(address.String()) != nil {
			return false
		}
	}
	return true
}

// sign completes the template, signs it and writes both files, the key first.
func (a *Authority) sign(name string, template, parent *x509.Certificate, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	// Five minutes back: a clock set back a little after `up` must not invalidate the cluster.
	template.NotBefore = time.Now().Add(-5 * time.Minute)
	template.NotAfter = time.Now().Add(lifetime)
	encoded, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	if err := writeKey(a.KeyFile(name), key); err != nil {
		return nil, err
	}
	if err := writePEM(a.CertificateFile(name), "CERTIFICATE", encoded, 0o644); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(encoded)
}

// load reads a pair and checks that the key belongs to the certificate.
func load(folder, name string) (*x509.Certificate, crypto.Signer, error) {
	certificatePEM, err := os.ReadFile(filepath.Join(folder, name+".crt"))
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := os.ReadFile(filepath.Join(folder, name+".key"))
	if err != nil {
		return nil, nil, err
	}
	certificateBlock, _ := pem.Decode(certificatePEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certificateBlock == nil || keyBlock == nil {
		return nil, nil, errors.New("not PEM")
	}
	certificate, err := x509.ParseCertificate(certificateBlock.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, nil, err
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok || !private.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil, errors.New("the key is not the certificate's")
	}
	return certificate, private, nil
}

func writeKey(path string, key crypto.Signer) error {
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "PRIVATE KEY", encoded, 0o600)
}

// writePEM replaces a file as a whole, so that a crash leaves the old or the new one.
func writePEM(path, kind string, content []byte, mode os.FileMode) error {
	temporary := path + ".partial"
	encoded := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	if err := os.WriteFile(temporary, encoded, mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
