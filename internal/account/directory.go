package account

import (
	"fmt"
	"strings"
	"sync/atomic"

	"dargah.dev/dargah/internal/persian"
)

// Directory is an immutable snapshot of every domain and account, indexed the
// ways a caller can name itself. The hot path reads it without a lock.
type Directory struct {
	domains  []Domain
	def      string
	byID     map[string]*Account
	byName   map[name]*Account
	anywhere map[string]*Account // by user name alone: the first in any domain
	clients  map[string]owned[Client]
	business map[string]owned[Business]
	keys     map[[32]byte]owned[APIKey] // by hash
}

type name struct{ domain, user string }

type owned[T any] struct {
	account *Account
	item    *T
}

// NewDirectory indexes accounts. Two accounts that answer to the same name,
// client id, business id or API key are refused: neither may shadow the other.
func NewDirectory(domains []Domain, accounts []Account) (*Directory, error) {
	d := &Directory{
		domains: domains, byID: map[string]*Account{}, byName: map[name]*Account{}, anywhere: map[string]*Account{},
		clients: map[string]owned[Client]{}, business: map[string]owned[Business]{}, keys: map[[32]byte]owned[APIKey]{},
	}
	disabled := map[string]bool{}
	for _, domain := range domains {
		if domain.Default || d.def == "" {
			d.def = domain.Name
		}
		disabled[domain.Name] = domain.Disabled
	}
	for i := range accounts {
		a := &accounts[i]
		a.Disabled = a.Disabled || disabled[a.Domain]
		if err := d.add(a); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Directory) add(a *Account) error {
	key := name{DomainKey(a.Domain), UserKey(a.Username)}
	if _, taken := d.byName[key]; taken {
		return fmt.Errorf("account %s: its name is taken in its domain", a.ID)
	}
	d.byID[a.ID], d.byName[key] = a, a
	if _, taken := d.anywhere[key.user]; !taken {
		d.anywhere[key.user] = a
	}
	for i := range a.Clients {
		c := &a.Clients[i]
		if _, taken := d.clients[c.ID]; taken {
			return fmt.Errorf("account %s: a client id of it is taken", a.ID)
		}
		d.clients[c.ID] = owned[Client]{a, c}
	}
	for i := range a.Business {
		b := &a.Business[i]
		if _, taken := d.business[b.ID]; taken {
			return fmt.Errorf("account %s: a business id of it is taken", a.ID)
		}
		d.business[b.ID] = owned[Business]{a, b}
	}
	for i := range a.APIKeys {
		k := &a.APIKeys[i]
		if _, taken := d.keys[k.Hash]; taken {
			return fmt.Errorf("account %s: an API key of it is taken", a.ID)
		}
		d.keys[k.Hash] = owned[APIKey]{a, k}
	}
	return nil
}

// UserKey is the one spelling under which a user name is looked up and its
// failures are counted: case, blanks, Persian digits and letter forms folded.
func UserKey(username string) string { return persian.Key(username) }

// DomainKey is the one spelling of a domain's name.
func DomainKey(domain string) string { return strings.ToLower(strings.TrimSpace(domain)) }

// ByID finds an account by our own id; nil if there is none.
func (d *Directory) ByID(id string) *Account { return d.byID[id] }

// ByName finds an account of a domain; nil if there is none.
func (d *Directory) ByName(domain, username string) *Account {
	return d.byName[name{DomainKey(domain), UserKey(username)}]
}

// Anywhere finds an account by user name in whichever domain has it first;
// nil if none has.
func (d *Directory) Anywhere(username string) *Account { return d.anywhere[UserKey(username)] }

// Client finds an OAuth client and the account that owns it.
func (d *Directory) Client(id string) (*Account, *Client) {
	o := d.clients[id]
	return o.account, o.item
}

// Business finds a business credential and the account that owns it.
func (d *Directory) Business(id string) (*Account, *Business) {
	o := d.business[id]
	return o.account, o.item
}

// Key finds an API key by its SHA-256, and the account that owns it. Neither
// need be active.
func (d *Directory) Key(hash [32]byte) (*Account, *APIKey) {
	o := d.keys[hash]
	return o.account, o.item
}

// DefaultDomain is the domain for requests that name none; empty only in an
// installation without domains.
func (d *Directory) DefaultDomain() string { return d.def }

// HostDomain is the domain that a Host header names, bare or behind "api.",
// with or without a port; without one it is the default domain.
func (d *Directory) HostDomain(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, domain := range d.domains {
		if key := DomainKey(domain.Name); host == key || host == "api."+key {
			return domain.Name
		}
	}
	return d.def
}

// Book holds the snapshot in force. Readers never wait for a change.
type Book struct{ current atomic.Pointer[Directory] }

// Now is the snapshot in force; never nil after the first Put.
func (b *Book) Now() *Directory { return b.current.Load() }

// Put brings a new snapshot into force for every later call.
func (b *Book) Put(d *Directory) { b.current.Store(d) }
