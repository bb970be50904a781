package token

import (
	"context"
	"strings"
	"time"
)

// Day is the unit of token lifetimes.
const Day = 24 * time.Hour

// refreshLife is the absolute life of a family of refresh tokens.
const refreshLife = 30 * Day

// Request asks for an access token of an account that was admitted.
type Request struct {
	Account  string
	Epoch    int64
	Audience string
	Days     int // 1..365
	Line     string
	Client   string   // with a client comes a refresh token
	Scope    []string // what the token opens, for dialects that have scopes
	Shown    Refresh  // the refresh token that was shown; zero for a login
}

// Issued is a token call's answer.
type Issued struct {
	Access   string
	Claims   Claims
	Life     time.Duration
	Refresh  string    // empty without a client
	Rotation *Rotation // what the store must do before Refresh may leave; nil for a login
}

// Grant makes what a token call answers. Nothing is stored here: the caller
// passes Rotation on to the store.
func (m *Mint) Grant(_ context.Context, q Request) (Issued, error) {
	out := Issued{Life: time.Duration(q.Days) * Day}
	claims := Claims{
		Account: q.Account, Audience: q.Audience, Epoch: q.Epoch,
		Line: q.Line, Client: q.Client, Scope: strings.Join(q.Scope, " "),
	}
	if q.Client != "" {
		family := q.Shown.Next()
		if q.Shown.Family == "" {
			family = m.NewFamily(q.Account, q.Client, claims.Scope, q.Epoch, max(refreshLife, out.Life))
		} else {
			out.Rotation = q.Shown.Rotation()
		}
		claims.Family = family.Family
		var err error
		if out.Refresh, err = m.Seal(family); err != nil {
			return Issued{}, err
		}
	}
	var err error
	out.Access, out.Claims, err = m.Issue(claims, out.Life)
	return out, err
}
