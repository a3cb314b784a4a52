// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusDiscovery

struct LeaseTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)
    private let wall: Int64 = 1_700_000_000_000_000_000

    private func at(_ seconds: Double) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }

    private func observed(age: Double) -> ObservedLease {
        ObservedLease(modified: wall - Int64(age * 1e9), duration: .seconds(10), wall: wall, now: start)
    }

    @Test func `three heartbeats fit into a lease, also after one that failed`() {
        var lease = Lease(.seconds(9), renewed: start)
        #expect(lease.nextHeartbeat == at(3))
        lease.attempt(at: at(3))
        #expect(lease.nextHeartbeat == at(6))
        #expect(lease.renewed == start)
    }

    @Test func `a heartbeat in time needs no new file, one after a suspension does`() {
        var lease = Lease(.seconds(9), renewed: start)
        let late = [
            lease.touched(from: at(3), to: at(3.1)), lease.touched(from: at(8.9), to: at(9)),
            lease.touched(from: at(15), to: at(15)), lease.touched(from: at(16), to: at(16)),
            lease.touched(from: at(17), to: at(26)),
        ]
        #expect(late == [false, false, true, false, true])
    }

    @Test func `an entry lives for a lease after its file was touched`() {
        let fresh = observed(age: 0)
        #expect(!fresh.hasExpired(at: at(9.999)))
        #expect(fresh.hasExpired(at: at(10)))
        let older = observed(age: 7)
        #expect(!older.hasExpired(at: at(2.999)))
        #expect(older.hasExpired(at: at(3)))
        #expect(observed(age: 10).hasExpired(at: start))
    }

    @Test func `expired entries are swept four leases later`() {
        let lease = observed(age: 0)
        #expect(!lease.canBeSwept(at: at(49.999)))
        #expect(lease.canBeSwept(at: at(50)))
        #expect(observed(age: 50).canBeSwept(at: start))
    }

    @Test func `a file from the future lives for one lease, not until its time comes`() {
        let lease = observed(age: -86_400)
        #expect(lease.expires == at(10))
    }

    @Test(arguments: [Int64.min, .max, 0, -1])
    func `the oddest times of files trap nothing`(modified: Int64) {
        let lease = ObservedLease(modified: modified, duration: .seconds(10), wall: wall, now: start)
        #expect(lease.expires <= at(10))
    }

    @Test func `an owner that beats in time never expires, whenever its readers look`() {
        let random = SplitMixRandom(seed: 4)
        var lease = Lease(.seconds(10), renewed: start)
        var touched = start
        var now = start
        for _ in 0..<20_000 {
            now = now.advanced(by: .milliseconds(random.index(below: 1000)))
            if lease.nextHeartbeat <= now {
                lease.attempt(at: now)
                let late = lease.touched(from: now, to: now)
                #expect(!late)
                touched = now
            }
            let age = touched.duration(to: now)
            let seen = ObservedLease(
                modified: wall - age.saturatedNanoseconds, duration: .seconds(10), wall: wall, now: now)
            #expect(!seen.hasExpired(at: now))
        }
    }
}
