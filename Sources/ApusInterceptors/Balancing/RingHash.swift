// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends calls with the same key to the same endpoint, and when endpoints come or go moves few keys: each endpoint has
/// places on a ring, by its weight, and a key belongs to the first place behind its hash.
///
/// A key whose endpoint ``RandomBalancer`` would leave out goes to the next one on the ring. A weight that is no
/// positive finite number gets no place. Source: gRFC A42.
public struct RingHash: RoutingInterceptor {
    private let key: RequestHash
    private let sizes: HashRing.Sizes
    private let random: any RandomSource
    private let owner = EndpointAttachment.Owner()

    /// A balancer.
    ///
    /// - Parameters:
    ///   - key: what calls belong together by.
    ///   - minimumSize: places of the heaviest endpoint, and so the ring's at least: more share more evenly. Held in
    ///     `1...maximumSize`.
    ///   - maximumSize: places on the ring from which on endpoints get fewer; held in `1...8,388,608`. Each has one at
    ///     least. While a ring is smaller, endpoints keep their places when others come or go.
    ///   - random: where calls without a key go.
    public init(
        by key: RequestHash, minimumSize: Int = 1024, maximumSize: Int = 32_768,
        random: any RandomSource = SplitMixRandom.shared
    ) {
        self.key = key
        sizes = HashRing.Sizes(minimum: minimumSize, maximum: maximumSize)
        self.random = random
    }

    /// A balancer whose ring has the places that gRFC A42 gives it: all endpoints together have as many as the range
    /// says, each its share by weight, and one without a share none. Keys go where they go in gRPC's other languages,
    /// but as endpoints get other shares when one comes or leaves, more keys move than in a ring of ``init(by:minimumSize:maximumSize:random:)``.
    ///
    /// - Parameters:
    ///   - key: what calls belong together by.
    ///   - ringSize: places on the ring; held in `1...8,388,608`.
    ///   - random: where calls without a key go.
    public init(by key: RequestHash, ringSize: ClosedRange<Int>, random: any RandomSource = SplitMixRandom.shared) {
        self.key = key
        sizes = HashRing.Sizes(minimum: ringSize.lowerBound, maximum: ringSize.upperBound, ofWholeRing: true)
        self.random = random
    }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let candidates = try call.knownCandidates("RingHash")
        let ring = candidates.attachment(of: owner) { HashRing(candidates.handles, sizes) }
        let place = ring.place(of: key.value(for: call, random))
        return try await next.send(call, to: ring.slots.pick(from: place, avoiding: call.avoided))
    }
}

/// The places of a service's endpoints.
final class HashRing: Sendable {
    /// The bounds of a ring.
    struct Sizes: Sendable {
        private static let limit = 1 << 23
        let minimum: Int
        let maximum: Int
        /// Whether `minimum` is all endpoints' together, not the heaviest one's.
        let ofWholeRing: Bool

        init(minimum: Int, maximum: Int, ofWholeRing: Bool = false) {
            self.ofWholeRing = ofWholeRing
            self.maximum = max(1, min(maximum, Self.limit))
            self.minimum = max(1, min(minimum, self.maximum))
        }

        /// Places for each of some relative weights, the largest of which is 1.
        func places(_ weights: [Double]) -> [Int] {
            guard !ofWholeRing else { return shares(weights) }
            let scale = min(Double(minimum), Double(maximum) / weights.reduce(0, +))
            return weights.map { $0 > 0 ? max(1, Int((scale * $0).rounded())) : 0 }
        }

        // So many that the lightest one's are a whole number. Source: gRFC A42, and Envoy, which it follows.
        private func shares(_ weights: [Double]) -> [Int] {
            let sum = weights.reduce(0, +)
            guard let lightest = weights.lazy.filter({ $0 > 0 }).min() else { return weights.map { _ in 0 } }
            let smallest = lightest / sum
            let scale = min((smallest * Double(minimum)).rounded(.up) / smallest, Double(maximum))
            var target = 0.0
            var count = 0
            return weights.map { weight in
                target += scale * weight / sum
                defer { count = max(count, Int(target.rounded(.up))) }
                return max(0, Int(target.rounded(.up)) - count)
            }
        }
    }

    private let hashes: [UInt64]
    /// Who has the places, in the order of the ring.
    let slots: EndpointSlots

    init(_ handles: [EndpointHandle], _ sizes: Sizes) {
        let places = Self.places(handles, sizes).sorted { $0.hash < $1.hash }
        hashes = places.map(\.hash)
        slots = EndpointSlots(handles, slots: places.map(\.endpoint))
    }

    private static func places(
        _ handles: [EndpointHandle], _ sizes: Sizes
    ) -> [(hash: UInt64, endpoint: Int32)] {
        let counts = sizes.places(EndpointWeights.relative(handles))
        var places: [(hash: UInt64, endpoint: Int32)] = []
        places.reserveCapacity(counts.reduce(0, +))
        for (index, handle) in handles.enumerated() {
            let name = "\(handle.address)"
            for number in 0..<counts[index] {
                places.append((XXHash64.hash("\(name)_\(number)"), Int32(clamping: index)))
            }
        }
        return places
    }

    /// How many places there are.
    var count: Int { hashes.count }

    /// The first place at or behind a hash.
    func place(of hash: UInt64) -> Int {
        var (low, high) = (0, hashes.count)
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low == hashes.count ? 0 : low
    }
}

extension RingHash: DescribedPolicy {
    /// What calls belong together by, and how large the ring is.
    public var policyValues: [PolicyValue] {
        [PolicyValue("by", key), PolicyValue("size", sizes)]
    }
}

extension HashRing.Sizes: CustomStringConvertible {
    var description: String {
        ofWholeRing
            ? "\(minimum) to \(maximum) places" : "\(minimum) places of the heaviest endpoint, \(maximum) of all"
    }
}
