// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Finds the instances of a service by the addresses (A and AAAA) of a host name: targets are `dns:///host:port` or
/// `host:port`, and the port is 443 when none is given.
///
/// The system's resolver is asked when a watch starts and again on an interval, as it does not tell how long its
/// answers hold. A failure or an empty answer leaves the last good list in place. Nothing is registered here.
public struct DNSRegistry: Registry {
    /// The addresses of a name that are used; those beyond are left out.
    static let maximumAddresses = 256

    private let interval: Duration
    private let lookUp: HostLookUp
    private let clock: any MonotonicClock

    /// A registry over the system's resolver.
    ///
    /// - Parameters:
    ///   - interval: the time between two questions about a name.
    ///   - minimum: the shortest `interval`, which protects the name servers.
    ///   - clock: the clock of the channel.
    public init(
        every interval: Duration = .seconds(30), minimum: Duration = .seconds(30),
        clock: any MonotonicClock = SystemClock()
    ) {
        self.init(every: interval, minimum: minimum, lookUp: .system, clock: clock)
    }

    package init(every interval: Duration, minimum: Duration, lookUp: HostLookUp, clock: any MonotonicClock) {
        self.interval = max(interval, minimum, .milliseconds(1))
        self.lookUp = lookUp
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
        let feed = RegistryFeed(onUpdate)
        let task = Task { [interval, lookUp, clock] in
            do throws(RPCError) {
                await Self.follow(try DNSName(service), feed, interval, lookUp, clock)
            } catch {
                feed.publish(.failure(error), version: 1)
            }
        }
        return RegistryWatch {
            feed.cancel()
            task.cancel()
        }
    }

    private static func follow(
        _ name: DNSName, _ feed: RegistryFeed, _ interval: Duration, _ lookUp: HostLookUp, _ clock: any MonotonicClock
    ) async {
        var version: UInt64 = 0
        var last: [Endpoint]?
        while !Task.isCancelled {
            let update = endpoints(of: name, await lookUp.addresses(name.host))
            let endpoints = try? update.get()
            if endpoints == nil || endpoints != last {
                version += 1
                feed.publish(update, version: version)
            }
            last = endpoints ?? last
            do { try await clock.sleep(until: clock.now.advanced(by: interval)) } catch { return }
        }
    }

    // Sorted: name servers turn their answers round, which is no change.
    private static func endpoints(of name: DNSName, _ answer: Result<[String], RPCError>) -> RegistryUpdate {
        answer.flatMap { addresses in
            guard !addresses.isEmpty else {
                return .failure(RPCError(.unavailable, "look up \(name.host): the name has no address"))
            }
            let distinct = Set(addresses).sorted().prefix(maximumAddresses)
            return .success(distinct.map { Endpoint(host: $0, port: name.port) })
        }
    }
}
