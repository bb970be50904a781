package httpd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/httpd"
)

// lasting writes a certificate for api.example.ir that begins now and ends
// after a time.
func lasting(t *testing.T, now time.Time, life time.Duration) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(life), DNSNames: []string{"api.example.ir"}}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	chain, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{chain: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return chain, key
}

func TestExamineCertificate(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	made := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	chain, key := lasting(t, made, 90*day)
	_, other := lasting(t, made, 90*day)
	shown, open := lasting(t, made, 90*day)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		chain, key, url  string
		at               time.Time
		warnings, faults int
	}{
		"good":             {chain, key, "https://api.example.ir/x", made.Add(day), 0, 0},
		"22 days left":     {chain, key, "", made.Add(68 * day), 0, 0},
		"20 days left":     {chain, key, "", made.Add(70 * day), 1, 0},
		"over":             {chain, key, "", made.Add(91 * day), 0, 1},
		"not yet":          {chain, key, "", made.Add(-day), 0, 1},
		"another name":     {chain, key, "https://other.example.ir", made.Add(day), 1, 0},
		"another key":      {chain, other, "", made.Add(day), 0, 1},
		"no file":          {chain + "x", key, "", made.Add(day), 0, 1},
		"key for everyone": {shown, open, "", made.Add(day), 0, 1},
	} {
		l := httpd.ExamineCertificate(c.chain, c.key, c.url, c.at)
		if l.Count(finding.Warning) != c.warnings || l.Count(finding.Problem) != c.faults {
			t.Errorf("%s: %v", name, l)
		}
	}
}
