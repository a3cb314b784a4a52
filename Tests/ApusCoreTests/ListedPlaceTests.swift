// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

struct ListedPlaceTests {
    private func place(_ instance: String?, port: Int = 1) -> Endpoint {
        Endpoint(.host("127.0.0.1", port: port), instance: instance)
    }

    private func instances(_ candidates: Candidates) -> [String?] { candidates.handles.map(\.instance) }

    @Test func `another instance at the same address has a handle of its own, and the old one leaves`() {
        let old = Candidates([place("a")])
        let (new, removed) = old.updated(to: [place("b")])
        #expect(instances(new) == ["b"] && new.handles != old.handles)
        #expect(removed == old.handles)
    }

    @Test func `an address of which nobody knows the instance keeps its handle`() {
        let old = Candidates([place(nil)])
        let (new, removed) = old.updated(to: [place(nil)])
        #expect(new.handles == old.handles && removed.isEmpty)
    }

    @Test func `who comes takes the place of who was there, as long as both are listed`() {
        var candidates = Candidates([place("a")])
        for list in [["b", "a"], ["a", "b"], ["b", "a"], ["b"]] {
            candidates = candidates.updated(to: list.map { place($0) }).candidates
            #expect(instances(candidates) == ["b"])
        }
        // One that comes again is new again.
        candidates = candidates.updated(to: [place("b"), place("a")]).candidates
        #expect(instances(candidates) == ["a"])
    }

    @Test func `when who came last leaves first, the one before has its place again`() {
        let both = Candidates([place("a")]).updated(to: [place("a"), place("b")]).candidates
        #expect(instances(both) == ["b"])
        let (left, removed) = both.updated(to: [place("a")])
        #expect(instances(left) == ["a"] && removed == both.handles)
    }

    @Test func `of three at one address the last that came has it`() {
        var candidates = Candidates([place("a"), place("b")])
        candidates = candidates.updated(to: [place("a"), place("b"), place("c")]).candidates
        #expect(instances(candidates) == ["c"])
        candidates = candidates.updated(to: [place("b"), place("a"), place("c")]).candidates
        #expect(instances(candidates) == ["c"])
    }

    @Test func `over ten thousand random lists each address has the instance that came last`() {
        let random = SplitMixRandom(seed: 17)
        var candidates = Candidates()
        // Each address' instances in the order of their coming.
        var model = [[String]](repeating: [], count: 4)
        var last = 0
        for _ in 0..<10_000 {
            let port = random.index(below: model.count)
            if random.index(below: 2) == 0, model[port].count < 4 {
                last += 1
                model[port].append("\(last)")
            } else if !model[port].isEmpty {
                model[port].remove(at: random.index(below: model[port].count))
            }
            var list = model.enumerated().flatMap { port, all in all.map { place($0, port: port) } }
            for index in list.indices { list.swapAt(index, random.index(below: list.count)) }
            let before = candidates.handles
            let (next, removed) = candidates.updated(to: list)
            for handle in next.handles {
                guard case .host(_, let port) = handle.address else { continue }
                // The one that came last, unless it left before the others: then one of them.
                #expect(model[port].contains { $0 == handle.instance })
                if before.contains(handle) { continue }
                let wasThere = before.first { $0.address == handle.address }?.instance
                if let wasThere, model[port].contains(wasThere) {
                    #expect(handle.instance == model[port].last)
                }
            }
            #expect(next.handles.count == model.count { !$0.isEmpty })
            #expect(Set(removed) == Set(before).subtracting(next.handles))
            candidates = next
        }
    }
}
