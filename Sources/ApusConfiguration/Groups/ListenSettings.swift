// SPDX-License-Identifier: Apache-2.0

#if Configuration
    public import Apus

    /// Where a server listens, and how long it takes to stop.
    public struct ListenSettings: Sendable {
        /// An IP address or a name. This machine alone reaches the one that stands here unless told.
        public var host = "127.0.0.1"
        /// The port; 0 takes a free one.
        public var port = 50051
        /// Addresses in the place of the host and the port; empty, as it is unless told, for those.
        public var addresses: [Endpoint.Address] = []
        /// Whether the sockets come from systemd instead.
        public var isInherited = false
        /// See ``ListenTarget/sharesPort``.
        public var sharesPort = false
        /// See ``ListenTarget/expectsProxyHeader``.
        public var expectsProxyHeader = false
        /// The time that calls in flight get when the server stops.
        public var grace = Duration.seconds(30)

        /// The defaults.
        public init() {}

        /// Where to listen.
        public var targets: [ListenTarget] {
            let places = addresses.isEmpty ? [.host(host, port: port)] : addresses
            let targets = isInherited ? [.inherited()] : places.map { ListenTarget.address($0) }
            return targets.map { target in
                var target = target
                target.sharesPort = sharesPort
                target.expectsProxyHeader = expectsProxyHeader
                return target
            }
        }

        /// What `server.host`, `server.port` and their like ask for.
        ///
        /// - Throws: for every value that is wrong.
        public init(configuration: Settings) throws(SettingsError) { self = try Self.read(configuration).options }
    }

    extension ListenSettings: ConfiguredOptions {
        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "server.host", \.host, .text("an IP address or a name") { Endpoint.Address.isHost($0) },
                "Where the server listens. `::` is every address of the machine."),
            SettingRow("server.port", \.port, .count(0...65535), "Its port; 0 takes a free one."),
            SettingRow(
                "server.addresses", \.addresses, SettingForm.address.list,
                "Where it listens, in the place of `server.host` and `server.port`."),
            SettingRow("server.inherited", \.isInherited, .flag, "It listens on the sockets that systemd made, alone."),
            SettingRow(
                "server.sharesPort", \.sharesPort, .flag,
                "Each event loop gets a socket of its own, and other processes may have the port as well."),
            SettingRow(
                "server.expectsProxyHeader", \.expectsProxyHeader, .flag,
                "Connections begin with a header of the PROXY protocol, which is believed."),
            SettingRow(
                "server.grace", \.grace, .duration(from: .zero), "The time that calls in flight get when it stops."),
        ]
    }

    extension Endpoint.Address {
        static func isHost(_ text: String) -> Bool {
            let spelled = text.contains(":") ? "[\(text)]:1" : "\(text):1"
            return !text.contains { " []/".contains($0) } && Endpoint.Address(spelled) == .host(text, port: 1)
        }
    }
#endif
