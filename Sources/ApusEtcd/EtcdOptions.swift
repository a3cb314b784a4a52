// SPDX-License-Identifier: Apache-2.0

public import ApusTransport

/// How a registry speaks to etcd, and how long its entries outlive their owners.
public struct EtcdOptions: Sendable {
    /// A user of etcd's own, for clusters with authentication.
    public struct User: Sendable {
        /// The user's name.
        public var name: String
        /// The user's password: sent to etcd once for each token, so TLS should be there.
        public var password: String

        /// A user.
        public init(_ name: String, password: String) {
            self.name = name
            self.password = password
        }
    }

    /// How long an instance stays after its process died, in whole seconds, held within a second and a day. It is
    /// renewed three times in that time. etcd may make it longer: below 2 seconds it does by default.
    public var lease = Duration.seconds(10)
    /// The time for one call to etcd; a watch has no end.
    public var timeout = Duration.seconds(5)
    /// TLS to etcd; nil speaks cleartext.
    public var tls: ClientTLS?
    /// Who asks; nil for clusters without authentication.
    public var user: User?
    /// Instances of one service that are read at most. A service with more is an error, and the last list stays.
    public var maximumInstances = 10_000

    /// The defaults.
    public init() {}

    var leaseSeconds: Int64 { min(max(lease.components.seconds, 1), 86_400) }
}

extension ConnectionBackoff {
    /// The waits after calls that failed. Short ones: the registry's answer is what calls of a whole process wait for.
    static var etcd: ConnectionBackoff {
        var backoff = ConnectionBackoff()
        backoff.initial = .milliseconds(200)
        backoff.maximum = .seconds(5)
        return backoff
    }
}

extension TransportOptions {
    /// A channel to etcd's members.
    init(_ options: EtcdOptions) {
        self.init()
        tls = options.tls
        backoff = .etcd
        // A page of instances, with room for what strangers may have put among them.
        maximumResponseBytes = 16 << 20
        // A member that hangs, or is cut off, must not keep a watch. etcd allows a ping each 5 seconds.
        keepalive = ClientKeepalive(interval: .seconds(10), timeout: .seconds(10))
    }
}
