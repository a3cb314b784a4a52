// SPDX-License-Identifier: Apache-2.0

#if Configuration
    public import Apus

    extension TransportOptions {
        /// What the settings below `client` ask for; the defaults where they ask for nothing. With `client.tls.enabled` it
        /// speaks TLS.
        ///
        /// - Throws: for every value that is wrong.
        public init(configuration: Settings) throws(SettingsError) {
            self = try Self.read(configuration).options
            keepalive = try KeepaliveSettings.keepalive(configuration)
            tls = try ClientTLSSettings.tls(configuration)
        }
    }

    extension TransportOptions: ConfiguredOptions {
        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = limits + connections

        private static let limits: [SettingRow<Self>] = [
            SettingRow(
                "client.maximumResponseBytes", \.maximumResponseBytes, .bytes(0...Int(Int32.max)),
                "The largest response message."),
            SettingRow(
                "client.maximumMetadataBytes", \.maximumMetadataBytes, .bytes(1024...1 << 24),
                "The largest header list of a response."),
            SettingRow(
                "client.streamWindow", \.streamWindow, .bytes(64 << 10...Int(Int32.max)),
                "What a server may send ahead of the reader of one call."),
            SettingRow(
                "client.connectionWindow", \.connectionWindow, .bytes(64 << 10...Int(Int32.max)),
                "What it may send ahead in all calls of a connection."),
            SettingRow(
                "client.maximumWaitingCalls", \.maximumWaitingCalls, .count(0...Int(Int32.max)),
                "Calls of each event loop that may wait for a connection to one endpoint."),
            SettingRow(
                "client.userAgentPrefix", \.userAgentPrefix,
                .text("printable ASCII such as `shop/1.2`") { $0.utf8.allSatisfy { (0x20...0x7e).contains($0) } },
                "What `user-agent` begins with."),
        ]

        private static let connections: [SettingRow<Self>] = [
            SettingRow(
                "client.connectTimeout", \.connectTimeout, .duration(from: .milliseconds(1)),
                "The time for one connection: the look-up of a name and all of its addresses."),
            SettingRow(
                "client.handshakeTimeout", \.handshakeTimeout, .duration(from: .milliseconds(1)),
                "The time that a server has for its SETTINGS."),
            SettingRow(
                "client.backoff.initial", \.backoff.initial, .duration(from: .milliseconds(1)),
                "The wait after the first connection that failed."),
            SettingRow(
                "client.backoff.maximum", \.backoff.maximum, .duration(from: .milliseconds(1)), "The longest wait."),
            SettingRow(
                "client.idleTimeout", \.idleTimeout, SettingForm.duration(from: .milliseconds(1)).optional,
                "The time without calls after which a connection is closed."),
            SettingRow(
                "client.maximumConnectionsPerEndpoint", \.maximumConnectionsPerEndpoint, .count(1...1000),
                "Connections of each event loop to one endpoint."),
            SettingRow(
                "client.spareIdleTimeout", \.spareIdleTimeout, .duration(from: .milliseconds(1)),
                "The time without calls after which those beyond the first one are closed."),
            SettingRow(
                "client.acknowledgementTimeout", \.acknowledgementTimeout,
                SettingForm.duration(from: .milliseconds(1)).optional,
                "The time that sent bytes may stay unacknowledged; `none` leaves it to the system."),
            SettingRow(
                "client.proxy", \.proxy, .proxy, isSecret: true,
                "The way to servers: what `https_proxy` and its like say, none, or one proxy, perhaps with a password."),
        ]
    }
#endif
