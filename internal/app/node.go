package app

import (
	"context"
	"time"

	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/config"
)

// The kinds of things that are in memory and may be changed by other nodes and
// by commands.
const (
	accounts = "accounts"
	families = "token families"
	settings = "settings"
	webhooks = "webhooks"
	people   = "people"
	blocks   = "blocks"
)

func (a *App) join(ctx context.Context, c config.Config) (*cluster.Node, error) {
	return cluster.Join(ctx, cluster.Options{
		Redis: string(c.Redis), Keys: a.store.Keyring(), Table: a.store, Several: a.store.Shared(),
		Versions: a.versions, Chores: a.chores(), Log: a.log,
		Reload: map[string]func(context.Context) error{
			accounts: a.ReloadAccounts, families: a.store.LoadFamilies, settings: a.ReloadWorld,
			people: a.store.FollowPeople, blocks: a.ReloadBlocks, webhooks: a.ReloadWebhooks,
		},
	})
}

func (a *App) versions(ctx context.Context) (map[string]int64, error) {
	v, err := a.store.Versions(ctx)
	return map[string]int64{
		accounts: v.Accounts, families: v.Families, settings: v.World, people: v.People, blocks: v.Blocks, webhooks: v.Webhooks,
	}, err
}

// chores are what one node does for all.
func (a *App) chores() []cluster.Chore {
	return []cluster.Chore{
		{Name: "sweep token families", Every: time.Hour, Do: a.store.Sweep},
		{Name: "forget old notices of webhooks", Every: time.Hour, Do: a.store.ForgetNotices},
		{Name: "release what calls hold that never came back", Every: 5 * time.Second, Do: func(ctx context.Context) error {
			_, err := a.store.Release(ctx)
			return err
		}},
		{Name: "match receipts that came before their parts", Every: 5 * time.Second, Do: func(ctx context.Context) error {
			_, err := a.store.MatchStrays(ctx)
			return err
		}},
		{Name: "join what came of long messages", Every: time.Minute, Do: a.store.JoinFragments},
		{Name: "forget ids of parts, and receipts of nobody", Every: time.Hour, Do: a.store.ForgetParts},
	}
}
