package httpd

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"time"

	"dargah.dev/dargah/internal/finding"
)

// expiresSoon is when a certificate should have been renewed: programs that do
// it by themselves begin at 30 days, and weekly ones need two tries.
const expiresSoon = 21 * 24 * time.Hour

// ExamineCertificate looks at the files of a certificate and its key. publicURL
// is where callers think they are; empty where that is not said.
func ExamineCertificate(chain, key, publicURL string, now time.Time) (l finding.List) {
	const about = "certificate"
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		l.Bad(about, fmt.Sprintf("%s with its key %s: %v", chain, key, err), "give the certificate with its chain, and its key, both in PEM")
		return l
	}
	leaf := pair.Leaf
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case now.After(leaf.NotAfter):
		l.Bad(about, chain+" ended at "+until, "renew it: servers read the new file by themselves")
	case now.Before(leaf.NotBefore):
		l.Bad(about, chain+" begins at "+leaf.NotBefore.UTC().Format(time.RFC3339), "correct the clock, or the certificate")
	case now.Add(expiresSoon).After(leaf.NotAfter):
		l.Warn(about, fmt.Sprintf("%s ends in %d days, at %s", chain, int(leaf.NotAfter.Sub(now).Hours()/24), until), "renew it: servers read the new file by themselves")
	default:
		l.Good(about, "%s is good until %s", chain, until)
	}
	if u, err := url.Parse(publicURL); publicURL != "" && err == nil && leaf.VerifyHostname(u.Hostname()) != nil {
		l.Warn(about, chain+" is not for "+u.Hostname()+", which publicUrl names", "get a certificate for that name, or correct publicUrl")
	}
	if info, err := os.Stat(key); err == nil && runtime.GOOS != "windows" && info.Mode()&0o007 != 0 {
		l.Bad("key of the certificate", "everybody on this machine can read "+key, "chmod o-rwx "+key)
	}
	return l
}
