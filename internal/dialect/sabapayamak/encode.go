package sabapayamak

import (
	"encoding/json"
	"net/http"
	"strconv"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/token"
)

// done is the message of every success.
const done = "با موفقیت انجام شد"

// envelope is every answer. Its status is the HTTP status, as a string; what
// its id counts is told nowhere, so it stays what the page's sample has
// (README, "Ours").
type envelope struct {
	Status  string    `json:"status"`
	Message string    `json:"message"`
	ID      int       `json:"id"`
	Data    any       `json:"data"`
	Errors  []problem `json:"errors"`
}

// problem is the shape that the provider's own library reads.
type problem struct {
	Message string `json:"message"`
	URL     string `json:"url"`
	Code    int    `json:"code"`
	Field   string `json:"field"`
}

func seal(status int, message string, data any, errors []problem) envelope {
	return envelope{Status: strconv.Itoa(status), Message: message, ID: 1, Data: data, Errors: errors}
}

// profile is the data of a login; the names are the page's.
type profile struct {
	ID            string `json:"Id"`
	FirstName     string
	LastName      string
	Username      string
	Domain        string
	VirtualNumber string
	Token         string
}

// encoder writes answers with the names inside data in the wanted case.
type encoder struct{ camel bool }

func (e encoder) session(_ *dialect.Request, q session, a token.Issued) (dialect.Reply, error) {
	return e.succeed(profile{
		ID: strconv.FormatInt(q.owner.Number, 10), FirstName: q.owner.FirstName, LastName: q.owner.LastName,
		Username: q.owner.Username, Domain: q.owner.Domain, VirtualNumber: q.line, Token: a.Access,
	})
}

func (e encoder) succeed(data any) (dialect.Reply, error) {
	if e.camel {
		inner, err := dialect.JSON(http.StatusOK, data)
		if err != nil {
			return dialect.Reply{}, err
		}
		lowerNames(inner.Body)
		data = json.RawMessage(inner.Body)
	}
	return dialect.JSON(http.StatusOK, seal(http.StatusOK, done, data, []problem{}))
}

// lowerNames puts every member name of compact JSON in camelCase, in place.
// Only a name is a string with a colon right behind it.
func lowerNames(compact []byte) {
	for i := 0; i < len(compact); i++ {
		if compact[i] != '"' {
			continue
		}
		first := i + 1
		for i = first; compact[i] != '"'; i++ {
			if compact[i] == '\\' {
				i++
			}
		}
		if i+1 < len(compact) && compact[i+1] == ':' {
			lowerName(compact[first:i])
		}
	}
}

// lowerName lowers the capitals at the beginning, but not the one that begins
// the next word: Token to token, ID to id, RecID to recID. So do the libraries
// of the language that the provider's server is written in.
func lowerName(name []byte) {
	for i := range name {
		beginsWord := i > 0 && i+1 < len(name) && !isCapital(name[i+1])
		if !isCapital(name[i]) || beginsWord {
			return
		}
		name[i] += 'a' - 'A'
	}
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }
