package admission

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/token"
)

// Credential is what a caller shows, not yet believed: one of Bearer,
// Password, ClientPassword, ClientRefresh, Business and Key.
type Credential interface {
	// prove fills the pass with the account that the credential belongs to.
	prove(ctx context.Context, d *Desk, pass *Pass) error
}

// Bearer is an access token, good for one dialect.
type Bearer struct{ Token, Audience string }

// Password is a user name and a password in a domain. Where Elsewhere is set,
// a right password of a user of another domain is told so (fault.Domain)
// instead of being called wrong. Line is what the caller wants to send from.
type Password struct {
	Domain, Username, Password string
	Elsewhere                  bool
	Line                       string
}

// ClientPassword is an OAuth client that brings a user's password.
type ClientPassword struct{ Client, Secret, Username, Password string }

// ClientRefresh is an OAuth client that brings a refresh token.
type ClientRefresh struct{ Client, Secret, Refresh string }

// Business is a credential pair made by us, shown on each call.
type Business struct{ ID, Token string }

// Key is an API key made by us: it says by itself whose it is, and is shown on
// each call.
type Key struct{ Secret string }

func (c Bearer) prove(_ context.Context, d *Desk, pass *Pass) error {
	if c.Token == "" {
		return fault.New(fault.NoToken)
	}
	claims, err := d.Mint.Read(c.Token, c.Audience)
	if err != nil {
		return err
	}
	owner := d.Book.Now().ByID(claims.Account)
	if owner == nil || owner.Epoch != claims.Epoch || (claims.Family != "" && d.Families.Dead(claims.Family)) {
		return fault.New(fault.BadToken)
	}
	if claims.Client != "" && !hasClient(owner, claims.Client) {
		return fault.New(fault.BadToken)
	}
	pass.Account, pass.Claims = owner, claims
	return nil
}

func (c Password) prove(ctx context.Context, d *Desk, pass *Pass) error {
	directory := d.Book.Now()
	owner := directory.ByName(c.Domain, c.Username)
	if owner == nil && c.Elsewhere {
		owner = directory.Anywhere(c.Username)
	}
	if err := d.password(ctx, c.Domain, c.Username, owner, c.Password); err != nil {
		return err
	}
	if account.DomainKey(owner.Domain) != account.DomainKey(c.Domain) {
		return fault.New(fault.Domain)
	}
	pass.Account = owner
	return nil
}

// password spends the same work whether or not there is such a user, and
// counts failures under the one spelling of the name.
func (d *Desk) password(ctx context.Context, domain, username string, owner *account.Account, given string) error {
	key := account.DomainKey(domain) + "\x00" + account.UserKey(username)
	name, hash := key, ""
	if owner != nil {
		hash = owner.LoginHash()
	}
	if !d.Lockout.Open(key, d.Now()) {
		// Another name, so that a check from before the lock is shared neither
		// where there is such a user nor where there is none.
		name, hash = key+"\x00locked", ""
	}
	right, err := d.Passwords.Check(ctx, name, hash, given)
	if err != nil {
		return err
	}
	return when(!d.Lockout.Verdict(key, right, d.Now()), fault.Credentials)
}

func (c ClientPassword) prove(ctx context.Context, d *Desk, pass *Pass) error {
	owner, client, err := d.client(c.Client, c.Secret)
	if err != nil {
		return err
	}
	if !client.PasswordGrant {
		return fault.New(fault.ClientGrant)
	}
	user := d.Book.Now().ByName(owner.Domain, c.Username)
	if user != owner {
		user = nil // a client serves only the users of its own account
	}
	if err := d.password(ctx, owner.Domain, c.Username, user, c.Password); err != nil {
		return err
	}
	pass.Account, pass.Client = owner, client
	return nil
}

func (c ClientRefresh) prove(_ context.Context, d *Desk, pass *Pass) error {
	owner, client, err := d.client(c.Client, c.Secret)
	if err != nil {
		return err
	}
	refresh, err := d.Mint.Unseal(c.Refresh)
	if err != nil {
		return err
	}
	if refresh.Client != client.ID || refresh.Account != owner.ID || refresh.Epoch != owner.Epoch || d.Families.Dead(refresh.Family) {
		return fault.New(fault.Grant)
	}
	pass.Account, pass.Client, pass.Refresh = owner, client, refresh
	return nil
}

func (d *Desk) client(id, secret string) (*account.Account, *account.Client, error) {
	owner, client := d.Book.Now().Client(id)
	var want [sha256.Size]byte
	var former account.Former
	if client != nil {
		want, former = client.SecretHash, client.Former
	}
	if !d.same(secret, want, former) || client == nil || client.Disabled {
		return nil, nil, fault.New(fault.Client)
	}
	return owner, client, nil
}

func (c Business) prove(_ context.Context, d *Desk, pass *Pass) error {
	owner, business := d.Book.Now().Business(c.ID)
	var want [sha256.Size]byte
	var former account.Former
	if business != nil {
		want, former = business.TokenHash, business.Former
	}
	if !d.same(c.Token, want, former) || business == nil || business.Disabled {
		return fault.New(fault.Credentials)
	}
	pass.Account = owner
	return nil
}

// prove finds the key by its hash: how far a guess is off does not show in the
// time that takes, since nobody can choose hashes that are near each other.
func (c Key) prove(_ context.Context, d *Desk, pass *Pass) error {
	if c.Secret == "" {
		return fault.New(fault.NoToken)
	}
	got := sha256.Sum256([]byte(c.Secret))
	owner, key := d.Book.Now().Key(got)
	if key == nil || subtle.ConstantTimeCompare(got[:], key.Hash[:]) != 1 || key.Disabled {
		return fault.New(fault.BadToken)
	}
	pass.Account = owner
	return nil
}

// same compares with the secret in force and with the one before, in the same
// time whichever it is.
func (d *Desk) same(secret string, want [sha256.Size]byte, former account.Former) bool {
	got := sha256.Sum256([]byte(secret))
	now := subtle.ConstantTimeCompare(got[:], want[:]) == 1
	before := subtle.ConstantTimeCompare(got[:], former.Hash[:]) == 1
	return now || before && !former.Until.IsZero() && d.Now().Before(former.Until)
}

func hasClient(owner *account.Account, id string) bool {
	return slices.ContainsFunc(owner.Clients, func(c account.Client) bool { return c.ID == id && !c.Disabled })
}

// inScope tells whether a token opens a service. A token without a client was
// made by a dialect that knows no scopes and opens what the account may use.
func inScope(c token.Claims, service string) bool {
	return c.Client == "" || slices.Contains(strings.Fields(c.Scope), service)
}
