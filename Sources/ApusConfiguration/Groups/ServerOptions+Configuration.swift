// SPDX-License-Identifier: Apache-2.0

#if Configuration
    public import Apus

    extension ServerOptions {
        /// What the settings below `server` ask for; the defaults where they ask for nothing. With
        /// `server.tls.certificateChain` and `server.tls.privateKey` it speaks TLS.
        ///
        /// - Throws: for every value that is wrong.
        public init(configuration: Settings) throws(SettingsError) {
            self = try Self.read(configuration).options
            tls = try ServerTLSSettings.tls(configuration)
        }
    }

    extension ServerOptions: ConfiguredOptions {
        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = limits + times + connections

        private static let limits: [SettingRow<Self>] = [
            SettingRow(
                "server.maximumRequestBytes", \.maximumRequestBytes, .bytes(0...Int(Int32.max)),
                "The largest request message."),
            SettingRow(
                "server.maximumConcurrentStreams", \.maximumConcurrentStreams, .count(1...Int(Int32.max)),
                "Calls that one connection may have open at once."),
            SettingRow(
                "server.maximumMetadataBytes", \.maximumMetadataBytes, .bytes(1024...1 << 24),
                "The largest header list of a request."),
            SettingRow(
                "server.streamWindow", \.streamWindow, .bytes(64 << 10...Int(Int32.max)),
                "What a client may send ahead of the handler of one call."),
            SettingRow(
                "server.connectionWindow", \.connectionWindow, .bytes(64 << 10...Int(Int32.max)),
                "What it may send ahead in all calls of a connection."),
            SettingRow(
                "server.compression", \.compression, .compression,
                "How responses are compressed for clients that accept it."),
            SettingRow(
                "server.minimumCompressedBytes", \.minimumCompressedBytes, .bytes(0...Int(Int32.max)),
                "The smallest response that is compressed."),
            SettingRow(
                "server.bufferBudget", \.bufferBudget, .budget,
                "What these servers may hold for slow clients, all together; `none` shares a quarter of the memory."),
        ]

        private static let times: [SettingRow<Self>] = [
            SettingRow(
                "server.handshakeTimeout", \.handshakeTimeout, .duration(from: .milliseconds(1)),
                "The time for the PROXY header, the first bytes of HTTP/2 and the acknowledgement of SETTINGS, each."),
            SettingRow(
                "server.headerTimeout", \.headerTimeout, .duration(from: .milliseconds(1)),
                "The time that a request's metadata may take."),
            SettingRow(
                "server.frameTimeout", \.frameTimeout, .duration(from: .milliseconds(1)),
                "The time in which a frame that has begun must go on."),
            SettingRow(
                "server.handlerPatience", \.handlerPatience, .duration(from: .zero),
                "The time that a call waits for a slot while handlers of calls that are over still run."),
            SettingRow(
                "server.keepaliveInterval", \.keepaliveInterval, .duration(from: .milliseconds(1)),
                "The silence after which a client is asked whether it is still there."),
            SettingRow(
                "server.keepaliveTimeout", \.keepaliveTimeout, .duration(from: .milliseconds(1)),
                "The time that it has for its answer."),
            SettingRow(
                "server.minimumPingInterval", \.minimumPingInterval, .duration(from: .zero),
                "The least time between a client's PINGs."),
            SettingRow(
                "server.permitsPingsWithoutCalls", \.permitsPingsWithoutCalls, .flag,
                "That time holds for clients without open calls, too."),
            SettingRow(
                "server.acknowledgementTimeout", \.acknowledgementTimeout,
                SettingForm.duration(from: .milliseconds(1)).optional,
                "The time that sent bytes may stay unacknowledged; `none` leaves it to the system."),
        ]

        private static let connections: [SettingRow<Self>] = [
            SettingRow(
                "server.maximumConnections", \.maximumConnections, SettingForm.count(1...Int(Int32.max)).optional,
                "Connections from all clients."),
            SettingRow(
                "server.maximumConnectionsPerPeer", \.maximumConnectionsPerPeer,
                SettingForm.count(1...Int(Int32.max)).optional, "Connections from one address."),
            SettingRow(
                "server.maximumConnectionIdle", \.maximumConnectionIdle,
                SettingForm.duration(from: .milliseconds(1)).optional,
                "The time without calls after which one is ended."),
            SettingRow(
                "server.maximumConnectionAge", \.maximumConnectionAge,
                SettingForm.duration(from: .milliseconds(1)).optional, "The age at which one is ended."),
            SettingRow(
                "server.maximumConnectionAgeGrace", \.maximumConnectionAgeGrace,
                SettingForm.duration(from: .zero).optional, "The time that calls in flight get then."),
        ]
    }

    extension SettingForm<Compression?> {
        static let compression = SettingForm.choice(["none": nil, "gzip": .gzip, "deflate": .deflate])
    }
#endif
