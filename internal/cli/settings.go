package cli

import (
	"os"
	"strconv"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/config"
)

// settings are the flags that win over the configuration file and the
// environment. What is nil or empty was not given; internal/config reads the
// values, so that a mistake is reported alike wherever it stands.
type settings struct {
	Config       path     `help:"Configuration file (DARGAH_CONFIG); ${example}." placeholder:"FILE"`
	Listen       []string `help:"Addresses and ports to serve." placeholder:"ADDRESS:PORT"`
	PublicURL    *string  `help:"Where callers reach this server, for links that it hands out." name:"public-url" placeholder:"URL"`
	Data         path     `help:"Folder that holds the master key and, on SQLite, the database." placeholder:"DIR"`
	Database     *string  `help:"PostgreSQL database; without it SQLite in the data folder." placeholder:"URL"`
	MasterKey    path     `help:"File of the master key; without it master.key in the data folder." placeholder:"FILE"`
	Redis        *string  `help:"Redis, for several nodes." placeholder:"URL"`
	Certificate  path     `help:"Certificate with its chain, in PEM." name:"tls-certificate" placeholder:"FILE"`
	Key          path     `help:"Key of the certificate, in PEM." name:"tls-key" placeholder:"FILE"`
	InsecureHTTP *bool    `help:"Serve plain HTTP to other machines all the same." name:"insecure-http"`
	Proxies      []string `help:"Addresses or CIDR blocks of proxies whose X-Forwarded-For is believed." placeholder:"CIDR"`
	DataNames    *string  `help:"Spelling of the names inside sabapayamak's data: pascal or camel." placeholder:"NAME"`
	Lockout      *string  `help:"Wrong passwords in a row before a user name must wait; 0 is never." placeholder:"N"`
	PeopleMirror *bool    `help:"Keep a copy of the register, sealed, of this server's own." negatable:""`
	Log          *string  `help:"File of the log; - is standard error." placeholder:"FILE"`
	LogLevel     *string  `help:"debug, info, warn or error." placeholder:"LEVEL"`
	Drain        *string  `help:"How long calls under way may still take after SIGTERM, like 25s." placeholder:"TIME"`
	Node         *string  `help:"Name of this node in the log." placeholder:"NAME"`
	PerAddress   *string  `help:"Open connections of one address; 0 is no limit." name:"limits-connections-per-address" placeholder:"N"`
	HookAllow    []string `help:"Addresses or CIDR blocks off the internet that webhooks may be at." name:"webhooks-allow" placeholder:"CIDR"`
	HookHTTP     *bool    `help:"Let webhooks be plain http." name:"webhooks-insecure-http"`
	Connections  *string  `help:"All open connections; 0 is the limit of open files less 64." name:"limits-connections" placeholder:"N"`
}

// load reads the file, the environment and the flags.
func (s settings) load() (*config.Loaded, error) {
	loaded, err := config.Load(config.Sources{File: configFile(s.Config), Environ: os.Environ(), Operator: app.CheckOperator, Flags: s.given()})
	if err != nil {
		return nil, refused(err)
	}
	return loaded, nil
}

func (s settings) given() map[string][]string {
	all := map[string][]string{}
	for key, values := range map[string][]string{"listen": s.Listen, "proxies": s.Proxies, "webhooks.allow": s.HookAllow} {
		if values != nil {
			all[key] = values
		}
	}
	for key, value := range map[string]path{
		"data": s.Data, "masterKey": s.MasterKey, "tls.certificate": s.Certificate, "tls.key": s.Key,
	} {
		if value != "" {
			all[key] = []string{string(value)}
		}
	}
	for key, value := range map[string]*string{
		"publicUrl": s.PublicURL, "database": s.Database, "redis": s.Redis, "dataNames": s.DataNames,
		"lockout": s.Lockout, "log": s.Log, "logLevel": s.LogLevel, "drain": s.Drain, "node": s.Node,
		"limits.connectionsPerAddress": s.PerAddress, "limits.connections": s.Connections,
	} {
		if value != nil {
			all[key] = []string{*value}
		}
	}
	for key, value := range map[string]*bool{"insecureHttp": s.InsecureHTTP, "peopleMirror": s.PeopleMirror, "webhooks.insecureHttp": s.HookHTTP} {
		if value != nil {
			all[key] = []string{strconv.FormatBool(*value)}
		}
	}
	return all
}
