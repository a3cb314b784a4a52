// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends calls with the same key to the same endpoint, as ``RingHash`` does, by one look into a table: keys are shared
/// more evenly, and some more of them move when endpoints come or go.
///
/// A key whose endpoint ``RandomBalancer`` would leave out goes to that of the next slot. A weight that is no positive
/// finite number gets no slot. Source: Eisenbud et al., *Maglev: A Fast and Reliable Software Network Load Balancer*.
public struct Maglev: RoutingInterceptor {
    private let key: RequestHash
    private let size: Int
    private let random: any RandomSource
    private let owner = EndpointAttachment.Owner()

    /// A balancer.
    ///
    /// - Parameters:
    ///   - key: what calls belong together by.
    ///   - size: slots of the table, at least: the next prime number is taken, and at most 5,000,011. A hundred for each
    ///     endpoint share the keys within 1 %. A table for more endpoints has more.
    ///   - random: where calls without a key go.
    public init(
        by key: RequestHash, size: Int = 65_537, random: any RandomSource = SplitMixRandom.shared
    ) {
        self.key = key
        self.size = size
        self.random = random
    }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let candidates = try call.knownCandidates("Maglev")
        let table = candidates.attachment(of: owner) { MaglevTable(candidates.handles, size: size) }
        let slot = table.slot(of: key.value(for: call, random))
        return try await next.send(call, to: table.slots.pick(from: slot, avoiding: call.avoided))
    }
}

/// The slots of a service's endpoints.
final class MaglevTable: Sendable {
    private static let largest = 5_000_011
    private static let nobody: Int32 = -1

    /// How many slots there are: a prime number.
    let count: Int
    /// Who has the slots.
    let slots: EndpointSlots

    init(_ handles: [EndpointHandle], size: Int) {
        count = Self.count(for: handles.count, size: size)
        slots = EndpointSlots(handles, slots: Self.filled(count, handles))
    }

    /// The slots of a table for so many endpoints.
    static func count(for endpoints: Int, size: Int) -> Int {
        prime(from: max(2, min(max(size, endpoints), largest)))
    }

    /// The slot of a hash.
    func slot(of hash: UInt64) -> Int { Int(hash % UInt64(count)) }

    // An endpoint's own order of all slots, because their number is prime.
    private struct Order {
        var place: Int
        let skip: Int
        let weight: Double
        // Slots that it has, as many as its weight allows so far.
        var taken = 0.0

        init(_ handle: EndpointHandle, weight: Double, _ count: Int) {
            let name = "\(handle.address)"
            place = Int(XXHash64.hash(name) % UInt64(count))
            skip = Int(XXHash64.hash("\(name)/skip") % UInt64(count - 1)) + 1
            self.weight = weight
        }

        /// The first free slot of its order.
        mutating func take(_ index: Int32, of slots: inout [Int32]) {
            while slots[place] != nobody { place = (place + skip) % slots.count }
            slots[place] = index
            taken += 1
        }
    }

    // By turns each takes its next free slot, and one of half the weight each second turn.
    private static func filled(_ count: Int, _ handles: [EndpointHandle]) -> [Int32] {
        var orders = zip(handles, EndpointWeights.relative(handles)).map { Order($0, weight: $1, count) }
        var slots = [Int32](repeating: nobody, count: count)
        var (free, turn) = (count, 0.0)
        while free > 0 {
            turn += 1
            for index in orders.indices where free > 0 && turn * orders[index].weight >= orders[index].taken + 1 {
                orders[index].take(Int32(clamping: index), of: &slots)
                free -= 1
            }
        }
        return slots
    }

    private static func prime(from start: Int) -> Int {
        var number = start
        while !isPrime(number) { number += 1 }
        return number
    }

    private static func isPrime(_ number: Int) -> Bool {
        var divisor = 2
        while divisor * divisor <= number {
            if number.isMultiple(of: divisor) { return false }
            divisor += 1
        }
        return true
    }
}

extension Maglev: DescribedPolicy {
    /// What calls belong together by, and how large the table is.
    public var policyValues: [PolicyValue] {
        [PolicyValue("by", key), PolicyValue("size", "\(MaglevTable.count(for: 0, size: size)) slots")]
    }
}
