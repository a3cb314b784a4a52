// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusOTLP
import Testing

@Suite struct OTLPOptionsTests {
    @Test func `an empty environment gives the defaults`() throws {
        for environment in [[:], ["OTEL_SERVICE_NAME": "", "OTEL_EXPORTER_OTLP_TIMEOUT": ""]] {
            let options = try OTLPOptions(environment: environment)
            #expect(options.resource.isEmpty && options.headers.isEmpty)
            #expect((options.interval, options.timeout) == (.seconds(60), .seconds(10)))
        }
    }

    @Test func `the environment says what the process is, and how it exports`() throws {
        let options = try OTLPOptions(environment: [
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=a, service.version=1%2C2 ,deployment=caf%C3%A9=x",
            "OTEL_SERVICE_NAME": "users", "OTEL_EXPORTER_OTLP_HEADERS": "X-Token=secret%20word,b=",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "250", "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        ])
        #expect(
            options.resource == ["service.name": "users", "service.version": "1,2", "deployment": "café=x"])
        #expect(options.headers["x-token"] == "secret word")
        #expect(options.headers["b"] == "")
        #expect((options.interval, options.timeout) == (.seconds(5), .milliseconds(250)))
    }

    @Test(arguments: [
        ("OTEL_RESOURCE_ATTRIBUTES", "hidden"), ("OTEL_RESOURCE_ATTRIBUTES", "=hidden"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=hidden%2"), ("OTEL_RESOURCE_ATTRIBUTES", "a=hidden%zz"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=hidden%FF"), ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hidden"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "grpc-a=hidden"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=hidden%0A"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "hidden"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "-1"), ("OTEL_METRIC_EXPORT_INTERVAL", "99999999999999999999"),
    ])
    func `what cannot be read is an error that names the variable and hides the value`(
        _ name: String, _ value: String
    ) throws {
        let error = try #require(throws: RPCError.self) { try OTLPOptions(environment: [name: value]) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains(name))
        #expect(!error.message.contains("hidden"))
    }
}
