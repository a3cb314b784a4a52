// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct XXHash64Tests {
    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("as", 0x1C33_0FB2_D66B_E179),
            ("asd", 0x631C_37CE_72A9_7393), ("asdf", 0x4158_72F5_99CE_A71E),
            ("Call me Ishmael. Some years ago--never mind how long precisely-", 0x02A2_E854_70D6_FD96),
        ] as [(String, UInt64)]
    )
    func `hashes are those of the specification`(_ text: String, _ expected: UInt64) {
        #expect(XXHash64.hash(text) == expected)
    }
}

struct RequestHashTests {
    private func value(_ hash: RequestHash, _ metadata: Metadata, seed: UInt64 = 1) -> UInt64 {
        hash.value(
            for: ClientCall(method: .unary, target: "users", request: .one(MessageBytes([])), metadata: metadata),
            SplitMixRandom(seed: seed))
    }

    @Test func `all values of a metadata key are hashed, and a call without it goes anywhere`() {
        let hash = RequestHash.metadata("x-user")
        #expect(value(hash, ["x-user": "ada"]) == XXHash64.hash("ada"))
        #expect(value(hash, ["x-user": "ada", "x-user": "bob"]) == XXHash64.hash("ada,bob"))
        #expect(value(hash, ["x-other": "ada"]) == SplitMixRandom(seed: 1).next())
        #expect(value(hash, [:], seed: 2) == SplitMixRandom(seed: 2).next())
    }

    @Test func `binary values are hashed as they are`() {
        var metadata = Metadata()
        metadata.add("key-bin", binary: [0, 255])
        metadata.add("key-bin", binary: [7])
        #expect(value(.metadata("key-bin"), metadata) == XXHash64.hash([0, 255, 44, 7]))
        #expect(value(.metadata("key-bin"), [:]) == SplitMixRandom(seed: 1).next())
    }

    @Test func `a key may come from anything of the call`() {
        #expect(value(.key { $0.method.path }, [:]) == XXHash64.hash("/test.Service/Unary"))
        #expect(value(.key { _ in nil }, [:]) == SplitMixRandom(seed: 1).next())
        #expect(value(.random, ["x-user": "ada"]) == SplitMixRandom(seed: 1).next())
    }
}

/// Both tables that send keys to endpoints.
enum HashTable: CaseIterable {
    case ring, maglev

    /// Where keys go when nothing speaks against an endpoint.
    func map(_ handles: [EndpointHandle]) -> (UInt64) -> EndpointHandle { picker(handles).at }

    func picker(
        _ handles: [EndpointHandle]
    ) -> (at: (UInt64) -> EndpointHandle, avoiding: (UInt64, [EndpointHandle]) -> EndpointHandle) {
        switch self {
        case .ring:
            let ring = HashRing(handles, HashRing.Sizes(minimum: 1024, maximum: 32_768))
            return ({ ring.slots[ring.place(of: $0)] }, { ring.slots.pick(from: ring.place(of: $0), avoiding: $1) })
        case .maglev:
            let table = MaglevTable(handles, size: 4096)
            return ({ table.slots[table.slot(of: $0)] }, { table.slots.pick(from: table.slot(of: $0), avoiding: $1) })
        }
    }

    /// The most by which an endpoint's share may differ from its weight's, of it.
    var unevenness: Double { self == .ring ? 0.15 : 0.02 }
}

struct HashTableTests {
    private let keys = (0..<20_000).map { XXHash64.hash("user-\($0)") }

    @Test(arguments: HashTable.allCases, [2, 3, 5, 10, 20])
    func `few keys move when one of n leaves, and come back with it`(_ table: HashTable, _ count: Int) {
        let handles: [EndpointHandle] = .good(count)
        let before = table.map(handles)
        for gone in 0..<min(count, 3) {
            var left = handles
            left.remove(at: gone)
            let after = table.map(left)
            let moved = keys.count { before($0) != after($0) }
            #expect(Double(moved) / Double(keys.count) <= 1 / Double(count) + 0.05)
        }
        let again = table.map(handles)
        #expect(keys.allSatisfy { before($0) == again($0) })
    }

    @Test(arguments: HashTable.allCases)
    func `the order of the list hardly matters`(_ table: HashTable) {
        let handles: [EndpointHandle] = .good(10)
        let (forward, backward) = (table.map(handles), table.map(handles.reversed()))
        #expect(keys.count { forward($0) != backward($0) } < keys.count / 20)
    }

    @Test(arguments: HashTable.allCases, [[1, 1, 1, 1], [1, 2, 4], [10, 1, 1]])
    func `endpoints get keys by their weights`(_ table: HashTable, _ weights: [Double]) {
        let handles: [EndpointHandle] = .weighing(weights)
        let random = SplitMixRandom(seed: 1)
        let map = table.map(handles)
        let counts = Picks(of: handles, draws: 100_000) { map(random.next()) }.counts
        for (count, weight) in zip(counts, weights) {
            let expected = 100_000 * weight / weights.reduce(0, +)
            #expect(abs(Double(count) / expected - 1) < table.unevenness)
        }
    }

    @Test(arguments: HashTable.allCases)
    func `bad weights get no keys, and all keys serve when all weights are bad`(_ table: HashTable) {
        let handles: [EndpointHandle] = .weighing([1, 0, .nan, -3, .infinity, 1])
        let random = SplitMixRandom(seed: 2)
        let map = table.map(handles)
        let counts = Picks(of: handles, draws: 10_000) { map(random.next()) }.counts
        #expect(counts[1...4].allSatisfy { $0 == 0 } && counts[0] > 3000 && counts[5] > 3000)
        let none: [EndpointHandle] = .weighing([0, 0, .nan])
        let every = table.map(none)
        #expect(Picks(of: none, draws: 10_000) { every(random.next()) }.counts.allSatisfy { $0 > 2000 })
    }

    @Test(arguments: HashTable.allCases)
    func `only the keys of an endpoint that failed go elsewhere, and to more than one`(_ table: HashTable) {
        let handles: [EndpointHandle] = .good(8)
        let picker = table.picker(handles)
        handles[3].connectivity = .transientFailure
        var heirs: Set<EndpointHandle> = []
        for key in keys {
            let (old, new) = (picker.at(key), picker.avoiding(key, []))
            if old == handles[3] {
                #expect(new != handles[3])
                heirs.insert(new)
            } else {
                #expect(new == old)
            }
        }
        #expect(heirs.count == 7)
    }

    @Test(arguments: HashTable.allCases)
    func `a retry goes to another endpoint, and always to the same one`(_ table: HashTable) {
        let picker = table.picker(.good(5))
        for key in keys.prefix(1000) {
            let first = picker.avoiding(key, [])
            let second = picker.avoiding(key, [first])
            #expect(second != first)
            #expect(picker.avoiding(key, [first]) == second)
        }
    }

    @Test(arguments: HashTable.allCases)
    func `an endpoint without a slot serves when the others cannot be reached`(_ table: HashTable) {
        let handles: [EndpointHandle] = .weighing([1, 0])
        let picker = table.picker(handles)
        handles[0].connectivity = .transientFailure
        for key in keys.prefix(100) { #expect(picker.avoiding(key, []) == handles[1]) }
        handles[1].connectivity = .transientFailure
        for key in keys.prefix(100) { #expect(picker.avoiding(key, []) == handles[0]) }
    }
}

struct HashRingTests {
    @Test(
        arguments: [
            ([1, 1, 1], 1024, 4096, [1024, 1024, 1024]), ([1, 1, 1, 1, 1], 10, 40, [8, 8, 8, 8, 8]),
            ([1, 0.5, 0.1], 1000, 4000, [1000, 500, 100]), ([1, 1e-9, 0], 1024, 4096, [1024, 1, 0]), ([1], 10, 5, [5]),
            ([1, 1], -1, -1, [1, 1]), ([1], .max, .max, [8_388_608]),
        ] as [([Double], Int, Int, [Int])])
    func `a ring has its sizes, and each endpoint a place`(
        _ weights: [Double], _ minimum: Int, _ maximum: Int, _ places: [Int]
    ) {
        #expect(HashRing.Sizes(minimum: minimum, maximum: maximum).places(weights) == places)
    }

    @Test(
        arguments: [
            // The lightest one's places are rounded up, and the others' follow.
            ([1, 1, 1, 1], 1024, 4096, [256, 256, 256, 256]),
            ([1, 1, 1, 1, 1], 1024, 4096, [205, 205, 205, 205, 205]),
            ([1, 0.5, 0.5], 1024, 4096, [512, 256, 256]), ([1, 0.25], 10, 4096, [8, 2]), ([1], 1024, 4096, [1024]),
            // Capped: shares of the cap.
            ([1, 1.0 / 4095], 1024, 2048, [2048, 0]), ([0.5, 1, 0.5], 8, 8, [2, 4, 2]),
            ([1, 0, 1], 4, 8, [2, 0, 2]), ([1, 1], 1, 1, [1, 0]), ([0, 0], 4, 8, [0, 0]),
        ] as [([Double], Int, Int, [Int])])
    func `a whole ring has the places of A42`(_ weights: [Double], _ minimum: Int, _ maximum: Int, _ places: [Int]) {
        let sizes = HashRing.Sizes(minimum: minimum, maximum: maximum, ofWholeRing: true)
        let found = sizes.places(weights)
        // As in gRPC's: sums of fractions may be a hair above a whole number.
        #expect(zip(found, places).allSatisfy { abs($0 - $1) <= 1 } && found.count == places.count)
        #expect(abs(found.reduce(0, +) - places.reduce(0, +)) <= 1)
    }

    @Test func `a whole ring of any weights is within its sizes and in proportion`() {
        let random = SplitMixRandom(seed: 9)
        for _ in 0..<1000 {
            let weights = (0...random.index(below: 20)).map { _ in random.unit() + 0.001 }
            let found = HashRing.Sizes(minimum: 1024, maximum: 4096, ofWholeRing: true).places(weights)
            let (total, sum) = (found.reduce(0, +), weights.reduce(0, +))
            #expect((1024...4097).contains(total))
            for (weight, count) in zip(weights, found) {
                #expect(abs(Double(count) - Double(total) * weight / sum) <= 2)
            }
        }
    }

    @Test func `each of more endpoints than places has one`() {
        let handles: [EndpointHandle] = .good(10_000)
        let ring = HashRing(handles, HashRing.Sizes(minimum: 1024, maximum: 4096))
        #expect(ring.count == 10_000)
        #expect(Set((0..<ring.count).map { ring.slots[$0] }).count == 10_000)
    }

    @Test func `a hash belongs to the first place at or behind it, around the end`() {
        let ring = HashRing(.good(3), HashRing.Sizes(minimum: 30, maximum: 30))
        #expect(ring.place(of: 0) == 0)
        #expect(ring.place(of: .max) == 0)
        let random = SplitMixRandom(seed: 1)
        var last = 0
        for hash in (0..<10_000).map({ _ in random.next() }).sorted() {
            let place = ring.place(of: hash)
            #expect(place >= last || place == 0)
            if place > 0 { last = place }
        }
        #expect(last == 29)
    }
}

struct MaglevTableTests {
    @Test(arguments: [(1, 2), (2, 2), (4, 5), (100, 101), (65_537, 65_537), (-7, 2)])
    func `the table has the next prime number of slots`(_ size: Int, _ count: Int) {
        #expect(MaglevTable(.good(1), size: size).count == count)
    }

    @Test func `each of more endpoints than slots has one`() {
        let handles: [EndpointHandle] = .good(10_000)
        let table = MaglevTable(handles, size: 7)
        #expect(table.count == 10_007)
        #expect(Set((0..<table.count).map { table.slots[$0] }).count == 10_000)
    }

    @Test func `the largest table has a limit`() {
        #expect(MaglevTable.count(for: 1, size: .max) == 5_000_011)
    }
}
