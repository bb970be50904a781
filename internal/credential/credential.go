// Package credential owns how the secrets look that we make for customers:
// passwords that people type, and secrets that programs keep. How they are
// stored and checked is decided elsewhere.
package credential

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Kind begins a secret, so that one that leaked into a repository or a log is
// found by what it looks like.
type Kind string

// The kinds of secrets that programs keep.
const (
	ClientSecret  Kind = "dgc_" // of an OAuth client
	BusinessToken Kind = "dgb_" // of a business credential
	APIKey        Kind = "dgk_"
)

// The parts of a secret after its kind: 26 random letters and digits are 130
// bits, and 7 hold a checksum of 32.
const (
	randomLength   = 26
	checksumLength = 7
)

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// New makes a secret: the kind, 130 random bits, and a checksum by which
// scanners tell a secret from what only looks like one.
func New(kind Kind) string {
	body := string(kind) + rand.Text()
	return body + checksum(body)
}

// Made tells whether New can have made the secret.
func Made(secret string) bool {
	kind := Kind(secret[:min(len(secret), len(ClientSecret))])
	body := secret[:max(0, len(secret)-checksumLength)]
	return (kind == ClientSecret || kind == BusinessToken || kind == APIKey) &&
		len(secret) == len(kind)+randomLength+checksumLength && checksum(body) == secret[len(body):]
}

func checksum(body string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body)))
	return letters.EncodeToString(sum)
}

// readable is letters and digits that people do not take for one another. They
// are 32, so that a random byte falls on each equally often.
const readable = "abcdefghijkmnpqrstuvwxyz23456789"

// passwordLength letters of 5 bits each are 100 bits.
const passwordLength = 20

// Password makes a password that people can type from paper.
func Password() string {
	random := make([]byte, passwordLength)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the process instead
	var password strings.Builder
	for _, b := range random {
		password.WriteByte(readable[int(b)%len(readable)])
	}
	return password.String()
}
