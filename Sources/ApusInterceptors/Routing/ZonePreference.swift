// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Keeps calls in the client's own zone while enough of it can be used: nearer, and often cheaper.
///
/// Stands between ``Discovery`` and the balancer. An endpoint's zone is in its metadata. While a smaller share of the
/// zone's endpoints than `minimumShare` can be used (none of those whose connection failed or that a policy ejected), as
/// many calls as are too many for them go to all zones; when none can be, all do. A zone without endpoints prefers none.
public struct ZonePreference: RoutingInterceptor {
    private let zone: String
    private let key: String
    private let minimumShare: Double
    private let random: any RandomSource
    private let clock: any MonotonicClock
    private let owner = EndpointAttachment.Owner()

    /// A preference.
    ///
    /// - Parameters:
    ///   - zone: the client's zone.
    ///   - key: the metadata key of an endpoint's zone.
    ///   - minimumShare: the share of the zone's endpoints that have to work for all calls to stay; 0 to 1.
    ///   - clock: the clock of the channel: the endpoints that work are counted once a second.
    public init(
        _ zone: String, key: String = "zone", minimumShare: Double = 0.5,
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        self.zone = zone
        self.key = key
        self.minimumShare = minimumShare.isFinite ? min(max(minimumShare, 0), 1) : 0.5
        self.random = random
        self.clock = clock
    }

    /// Narrows the candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let candidates = call.candidates else { return try await next(call) }
        let table = candidates.attachment(of: owner) {
            ZoneTable(candidates.handles.filter { $0.metadata[key] == zone }, minimumShare, clock.now)
        }
        guard table.staying(at: clock.now) > random.unit() else { return try await next(call) }
        var call = call
        call.candidates = table.candidates
        return try await next(call)
    }

    /// The share of calls that stay in a zone of which so many endpoints can be used.
    static func staying(usable: Int, of count: Int, minimumShare: Double) -> Double {
        guard usable > 0, count > 0 else { return 0 }
        let needed = minimumShare * Double(count)
        return Double(usable) >= needed ? 1 : Double(usable) / needed
    }
}

/// The endpoints of a zone, and how many calls they take at present.
private final class ZoneTable: Sendable {
    private static let interval = Duration.seconds(1)

    let candidates: Candidates
    private let minimumShare: Double
    private let nextLook: Atomic<Int64>
    private let share: Atomic<UInt64>

    init(_ handles: [EndpointHandle], _ minimumShare: Double, _ now: MonotonicInstant) {
        candidates = Candidates(handles: handles)
        self.minimumShare = minimumShare
        nextLook = Atomic(now.advanced(by: Self.interval).nanoseconds)
        share = Atomic(Self.staying(handles, minimumShare).bitPattern)
    }

    /// The share of calls that stay. Whether any endpoint works at all is looked at each time: mostly the first does.
    func staying(at now: MonotonicInstant) -> Double {
        guard candidates.handles.contains(where: Self.isUsable) else { return 0 }
        let due = nextLook.load(ordering: .relaxed)
        let next = now.advanced(by: Self.interval).nanoseconds
        // One thread counts; the others go on with the last count meanwhile.
        if now.nanoseconds >= due, nextLook.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged
        {
            share.store(Self.staying(candidates.handles, minimumShare).bitPattern, ordering: .relaxed)
        }
        return Double(bitPattern: share.load(ordering: .relaxed))
    }

    private static func staying(_ handles: [EndpointHandle], _ minimumShare: Double) -> Double {
        ZonePreference.staying(usable: handles.count(where: isUsable), of: handles.count, minimumShare: minimumShare)
    }

    private static func isUsable(_ handle: EndpointHandle) -> Bool {
        EndpointPreference.isFresh(handle, avoiding: [])
    }
}

extension ZonePreference: DescribedPolicy {
    /// The zone, and how much of it has to work.
    public var policyValues: [PolicyValue] {
        [PolicyValue("zone", zone), PolicyValue("key", key), PolicyValue("minimumShare", minimumShare)]
    }
}
