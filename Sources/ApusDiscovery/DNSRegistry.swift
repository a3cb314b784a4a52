// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Finds the instances of a service by a name in DNS: targets are `dns:///host:port`, `host:port` or a host alone.
///
/// With a port the endpoints are the addresses (A and AAAA) of the host. Without one the records of the service
/// (`SRV` at `_grpc._tcp.` and the host) say hosts, ports and weights: those of the first priority with an address are
/// used. A host without such records has its addresses at port 443.
///
/// Names are asked for when a watch starts, on an interval, as answers do not tell how long they hold, and when the
/// endpoints of calls cannot be reached. A failure or an empty answer leaves the last good list in place, and is asked
/// about again after a second, and later each time. Addresses come from the system's resolver, services from the name
/// servers. Nothing is registered here. Source: RFC 2782.
///
/// Name servers have two seconds in all to tell of services. Those that refuse to, or cannot, know of none. When they
/// are silent or fail, and no list came from such records before, the host's addresses at port 443 serve meanwhile, and
/// the records are asked for again as after any failure: their answer takes over.
public struct DNSRegistry: Registry {
    /// The addresses of a name that are used; those beyond are left out.
    static let maximumAddresses = 256

    private let interval: Duration
    private let minimum: Duration
    private let source: DNSSource
    private let random: any RandomSource
    private let clock: any MonotonicClock

    /// A registry over the system's resolver.
    ///
    /// - Parameters:
    ///   - interval: the time between two questions about a name.
    ///   - minimum: the shortest `interval`, and the shortest time until calls that reach nobody make it ask again: it
    ///     protects the name servers.
    ///   - nameServers: who is asked for services: numeric addresses; none for those of /etc/resolv.conf.
    ///   - clock: the clock of the channel.
    public init(
        every interval: Duration = .seconds(30), minimum: Duration = .seconds(30),
        nameServers: [Endpoint.Address] = [], clock: any MonotonicClock = SystemClock()
    ) {
        self.init(
            every: interval, minimum: minimum, lookUp: .system, services: .asking(NameServer.all(nameServers)),
            clock: clock)
    }

    package init(
        every interval: Duration, minimum: Duration, lookUp: HostLookUp, services: DNSLookUp? = nil,
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock
    ) {
        self.minimum = max(minimum, .milliseconds(1))
        self.interval = max(interval, self.minimum)
        source = DNSSource(lookUp: lookUp, services: services)
        self.random = random
        self.clock = clock
    }

    /// Not possible.
    ///
    /// - Throws: UNIMPLEMENTED.
    public func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration {
        throw RPCError(.unimplemented, "DNS takes no registrations: whoever owns the zone adds its names")
    }

    /// Follows the addresses of a name; a list is told when it differs from the last one.
    public func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        let (feed, wish) = (RegistryFeed(onUpdate), RefreshWish())
        let task = Task {
            do throws(RPCError) {
                await follow(try DNSName(service), feed, wish)
            } catch {
                feed.publish(.failure(error), version: 1)
            }
        }
        return RegistryWatch {
            wish.express()
        } cancel: {
            feed.cancel()
            task.cancel()
        }
    }

    private func follow(_ name: DNSName, _ feed: RegistryFeed, _ wish: RefreshWish) async {
        var source = source
        var pace = LookUpPace(interval: interval)
        var version: UInt64 = 0
        var last: [Endpoint]?
        while !Task.isCancelled {
            let wished = wish.renewed()
            let update = await source.endpoints(of: name)
            let endpoints = try? update.get()
            if endpoints == nil || endpoints != last {
                version += 1
                feed.publish(update, version: version)
            }
            last = endpoints ?? last
            let asked = clock.now
            let wait = pace.wait(isAnswered: endpoints != nil && !source.lacksServices, random: random.unit())
            switch await wished.wait(until: CallDeadline(at: asked.advanced(by: wait)), clock: clock) {
            case .late: break
            case .cancelled: return
            case .fired:
                do { try await clock.sleep(until: asked.advanced(by: min(wait, minimum))) } catch { return }
            }
        }
    }
}

/// Where the endpoints of one name come from.
struct DNSSource: Sendable {
    let lookUp: HostLookUp
    /// Nil asks for addresses alone.
    let services: DNSLookUp?
    // Whether the last list came from records of the service.
    private var hasServices = false
    /// Whether nobody answered the last question about them.
    private(set) var lacksServices = false
    // What their hosts had the last time.
    private var known: [String: [String]] = [:]

    init(lookUp: HostLookUp, services: DNSLookUp?) {
        self.lookUp = lookUp
        self.services = services
    }

    mutating func endpoints(of name: DNSName) async -> RegistryUpdate {
        guard let services, name.mayHaveServices else {
            return Self.endpoints(of: name, await lookUp.addresses(name.host))
        }
        // Beside the other question: name servers may be silent. Nobody waits for it when it is of no use.
        let addresses = hasServices ? nil : Task { [lookUp] in await lookUp.addresses(name.host) }
        defer { addresses?.cancel() }
        let answer = await services.services("_grpc._tcp.\(name.host)")
        lacksServices = Self.isMissing(answer)
        switch answer {
        case .success(let records):
            hasServices = !records.isEmpty
            if hasServices { return await ServiceHosts(records).endpoints(lookUp, known: &known) }
        // Its addresses would be at another port.
        case .failure(let error): if hasServices { return .failure(error) }
        }
        if let addresses { return Self.endpoints(of: name, await addresses.value) }
        return Self.endpoints(of: name, await lookUp.addresses(name.host))
    }

    private static func isMissing(_ answer: Result<[ServiceRecord], RPCError>) -> Bool {
        guard case .failure(let error) = answer else { return false }
        return error.code != .unimplemented
    }

    // Sorted: name servers turn their answers round, which is no change.
    private static func endpoints(of name: DNSName, _ answer: Result<[String], RPCError>) -> RegistryUpdate {
        answer.flatMap { addresses in
            guard !addresses.isEmpty else {
                return .failure(RPCError(.unavailable, "look up \(name.host): the name has no address"))
            }
            let distinct = Set(addresses).sorted().prefix(DNSRegistry.maximumAddresses)
            return .success(distinct.map { Endpoint(host: $0, port: name.port) })
        }
    }
}

/// The wish of calls that reach nobody: to look before the interval is over.
final class RefreshWish: Sendable {
    private let signal = Mutex(Signal())

    func express() { signal.withLock { $0 }.fire() }

    /// The signal of wishes from now on.
    func renewed() -> Signal {
        signal.withLock { signal in
            signal = Signal()
            return signal
        }
    }
}
