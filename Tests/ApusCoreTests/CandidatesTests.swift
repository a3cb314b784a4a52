// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

struct CandidatesTests {
    @Test func `an endpoint that stays keeps its handle`() {
        let old = Candidates([.local(1), .local(2)])
        let (new, removed) = old.updated(to: [.local(2), .local(3)])
        #expect(new.handles[0] === old.handles[1])
        #expect(removed == [old.handles[0]])
        #expect(new.handles.map(\.endpoint) == [.local(2), .local(3)])
    }

    @Test func `an endpoint whose metadata or weight changed keeps its handle, which tells the new ones`() {
        let old = Candidates([.local(1)])
        let changed = Endpoint(host: "127.0.0.1", port: 1, metadata: ["zone": "b"], weight: 7)
        let (new, removed) = old.updated(to: [changed])
        #expect(new.handles == old.handles && new.version != old.version)
        #expect(removed.isEmpty)
        #expect(new.handles[0].endpoint == changed)
        #expect(new.handles[0].weight == 7 && new.handles[0].metadata == ["zone": "b"])
    }

    @Test func `an address that is listed twice counts once, in its first place`() {
        let double = Endpoint(host: "127.0.0.1", port: 1, weight: 2)
        let (new, removed) = Candidates([.local(1)]).updated(to: [.local(2), .local(1), double, .local(2)])
        #expect(new.handles.map(\.endpoint) == [.local(2), .local(1)])
        #expect(removed.isEmpty)
    }

    @Test func `no two snapshots have the same version`() {
        var versions: Set<UInt64> = []
        for _ in 0..<1000 { #expect(versions.insert(Candidates().version).inserted) }
    }

    @Test func `over random changes handles leave exactly when their endpoints do`() {
        let random = SplitMixRandom(seed: 6)
        var candidates = Candidates()
        for _ in 0..<2000 {
            let endpoints = (0..<random.index(below: 8)).map { _ in Endpoint.local(random.index(below: 10)) }
            let (next, removed) = candidates.updated(to: endpoints)
            #expect(Set(next.handles.map(\.endpoint)) == Set(endpoints))
            #expect(next.handles.count == Set(endpoints).count)
            #expect(Set(removed) == Set(candidates.handles).subtracting(next.handles))
            candidates = next
        }
    }

    @Test func `a listener that is gone is not kept by the handle`() {
        let handle = EndpointHandle(.local(1))
        let told = Mutex(0)
        let first = handle.onRetire { told.withLock { $0 += 1 } }
        let second = handle.onRetire { told.withLock { $0 += 10 } }
        handle.forget(first)
        #expect(handle.retireHooks == 1)
        handle.retire()
        handle.forget(second)
        #expect(told.withLock { $0 } == 10)
        #expect(handle.retireHooks == 0)
    }

    @Test func `a retired handle tells each listener once, late ones at once`() {
        let handle = EndpointHandle(.local(1))
        let told = Mutex(0)
        handle.onRetire { told.withLock { $0 += 1 } }
        #expect(!handle.isRetired)
        handle.retire()
        handle.retire()
        #expect(handle.isRetired)
        handle.onRetire { told.withLock { $0 += 1 } }
        #expect(told.withLock { $0 } == 2)
    }
}
