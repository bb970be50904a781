package store_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// BenchmarkCommit is a charged, recorded call; one caller alone waits for one
// flush of the disk each.
func BenchmarkCommit(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) {
		commits(b, func(b *testing.B) storetest.Place { return place(b, storetest.Folder(b)) })
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		commits(b, func(b *testing.B) storetest.Place { return place(b, onPostgres(b)) })
	})
}

func commits(b *testing.B, place func(*testing.B) storetest.Place) {
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := storetest.Must(b, place(b), store.Options{})
			balances := make([]rial.Amount, 16)
			for i := range balances {
				balances[i] = 1 << 50
			}
			storetest.Fund(b, s, balances...)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for caller := range callers {
				wg.Go(func() {
					from := "a" + strconv.Itoa(caller%16)
					for left.Add(-1) >= 0 {
						if err := s.Commit(context.Background(), storetest.Charge(callID(), from, 1)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "closings/s")
		})
	}
}

// registerSize is how many people the register of BenchmarkPerson has.
func registerSize() int {
	if n, err := strconv.Atoi(os.Getenv("DARGAH_BENCH_PEOPLE")); err == nil {
		return n
	}
	return 20_000
}

func BenchmarkPerson(b *testing.B) {
	s := storetest.Must(b, place(b, storetest.Folder(b)), store.Options{})
	n := registerSize()
	if err := s.PutPeople(context.Background(), storetest.People(0, n), nil); err != nil {
		b.Fatal(err)
	}
	for name, first := range map[string]int{"found": 0, "missing": n} {
		codes := make([]persian.NationalCode, 4096)
		for i := range codes {
			codes[i] = storetest.Code(first + i*7919%n)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				_, err := s.Person(context.Background(), codes[i%len(codes)])
				if (err == nil) != (first == 0) {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPutPeople fills a register; one operation is one person.
func BenchmarkPutPeople(b *testing.B) {
	s := storetest.Must(b, place(b, storetest.Folder(b)), store.Options{})
	b.ResetTimer()
	if err := s.PutPeople(context.Background(), storetest.People(0, b.N), nil); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkBalance(b *testing.B) {
	s := storetest.Must(b, place(b, storetest.Folder(b)), store.Options{})
	storetest.Fund(b, s, 5)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if storetest.Balance(b, s, "a0") != 5 || s.Dead("f") {
				b.Error("wrong")
			}
		}
	})
}

// callID rises with time, as the ids of calls do.
func callID() string { return strconv.FormatInt(time.Now().UnixNano(), 36) + rand.Text()[:14] }
