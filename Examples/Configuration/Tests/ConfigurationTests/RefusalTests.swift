// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusAdmin
import ApusConfiguration
import ApusOTLP
import Configuration
import Testing

struct RefusalTests {
    @Test func `all that is wrong is told with the key, the value, who said it and what would be right`() async throws {
        let settings = try await Settings(
            arguments: ["program", "--server-maximum-connections", "many"],
            environment: ["APUS_SERVER_STREAM_WINDOW": "1", "APUS_SERVER_HEADER_TIMEOUT": "10 s"])
        let told = problems { _ = try ServerOptions(configuration: settings) }
        #expect(
            told == [
                #"server.streamWindow is "1" (environment APUS_SERVER_STREAM_WINDOW), but has to be "#
                    + "a size from 64KiB to 2147483647, such as 65536, 64KiB, 4MiB or 1GiB",
                #"server.headerTimeout is "10 s" (environment APUS_SERVER_HEADER_TIMEOUT), but has to be "#
                    + "a time from 1ms, such as 1500ms, 10s, 5m, 2h or 10, which is seconds",
                #"server.maximumConnections is "many" (flag --server-maximum-connections), but has to be "#
                    + "a number from 1 to 2147483647, or none",
            ])
        #expect(settings.description.contains(#"= "many"  (flag --server-maximum-connections, WRONG: not a number"#))
    }

    @Test(arguments: [
        ("server.port", "65536"), ("server.port", "-1"), ("server.port", "+-1"), ("server.host", "a b"),
        ("server.host", "[::1]"), ("server.addresses", "127.0.0.1:1,"), ("server.addresses", "nowhere"),
        ("server.grace", "-1s"), ("server.grace", "1d"), ("server.grace", "nan"), ("server.grace", "1e300h"),
        ("server.grace", "s"), ("server.sharesPort", "maybe"),
    ])
    func `what cannot be is refused`(key: String, value: String) {
        let given = settings([key: ConfigValue(.string(value), isSecret: false)])
        #expect(problems { _ = try ListenSettings(configuration: given) }.count == 1)
    }

    @Test(arguments: [
        ("1500ms", Duration.milliseconds(1500)), ("10", .seconds(10)), ("0.25", .milliseconds(250)),
        ("5m", .seconds(300)),
        ("2h", .seconds(7200)), ("7us", .microseconds(7)), ("0", .zero), ("1.5s", .milliseconds(1500)),
    ])
    func `times have units`(text: String, time: Duration) throws {
        let given = settings(["server.grace": ConfigValue(.string(text), isSecret: false)])
        #expect(try ListenSettings(configuration: given).grace == time)
    }

    @Test(arguments: [("65536", 65536), ("64KiB", 65536), ("4MiB", 4 << 20), ("1GiB", 1 << 30), ("100000B", 100_000)])
    func `sizes have units`(text: String, size: Int) throws {
        let given = settings(["server.connectionWindow": ConfigValue(.string(text), isSecret: false)])
        #expect(try ServerOptions(configuration: given).connectionWindow == size)
        let tooMuch = settings(["server.connectionWindow": "9223372036854775807GiB"])
        #expect(problems { _ = try ServerOptions(configuration: tooMuch) }.count == 1)
    }

    @Test func `secrets are in no description and in no error`() throws {
        let secret = "0123456789abcdefSECRET"
        let good = settings([
            "admin.token": ConfigValue(.string(secret), isSecret: false),
            "telemetry.otlp.headers": ConfigValue(.string("authorization=\(secret)"), isSecret: false),
            "telemetry.serviceName": ConfigValue(.string(secret), isSecret: true),
        ])
        #expect(try AdminOptions(configuration: good).token == secret)
        #expect(try OTLPOptions(configuration: good).headers["authorization"] == secret)
        #expect(!good.description.contains(secret))
        #expect(good.description.contains("= <redacted>  (InMemoryProvider[given] admin.token)"))

        let wrong = settings([
            "admin.token": "sh ort", "telemetry.otlp.headers": "sh ort",
            "admin.port": ConfigValue("sh ort", isSecret: true),
        ])
        let told =
            problems { _ = try AdminOptions(configuration: wrong) }
            + problems { _ = try OTLPOptions(configuration: wrong) }
        #expect(told.count == 3)
        #expect(!told.contains { $0.contains("sh ort") })
        #expect(!wrong.description.contains("sh ort"))
    }

    @Test func `unknown keys below ours are told with where they are, others are not`() async throws {
        try await withFile(#"{"server": {"prot": 1}, "shop": {"x": 1}, "client": {"tls": {"root": ""}}}"#) { path in
            let settings = try await Settings(
                arguments: ["program", "--server-prot=1", "--verbose", "--server-port", "0"],
                environment: ["APUS_ADMIN_TOKN": "x", "APUS_OTHER": "x", "SERVER_PROT": "x", "APUS_ADMIN_PORT": "1"],
                file: path)
            let unknown = [
                "--server-prot (flag)", "APUS_ADMIN_TOKN (environment)", "client.tls.root (\(path))",
                "server.prot (\(path))",
            ]
            #expect(settings.unknownKeys == unknown)
            for line in unknown { #expect(settings.description.contains("unknown: \(line)")) }
        }
    }
}
