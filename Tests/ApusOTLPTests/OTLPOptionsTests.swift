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

    @Test func `a signal's own variables win`() throws {
        let environment = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://all:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:2/v1",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "none",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=2",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1000", "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "2000",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "",
        ]
        let traces = try OTLPOptions(environment: environment, for: .traces)
        #expect(traces.receiver == OTLPReceiver(.host("traces", port: 2)))
        #expect(traces.headers == ["b": "2"] && traces.compression == .gzip && traces.timeout == .seconds(1))
        let logs = try OTLPOptions(environment: environment, for: .logs)
        #expect(logs.receiver == OTLPReceiver(.host("all", port: 1), isSecure: true))
        #expect(logs.headers == ["a": "1"] && logs.compression == nil && logs.timeout == .seconds(1))
        #expect(try OTLPOptions(environment: environment).timeout == .seconds(2))
    }

    @Test(arguments: [
        ("http://a", OTLPReceiver(.host("a", port: 4317))),
        ("HTTPS://a:1/", .init(.host("a", port: 1), isSecure: true)),
        ("http://[::1]:9", .init(.host("::1", port: 9))), ("a:9", .init(.host("a", port: 9), isSecure: true)),
        ("https://[::1]", .init(.host("::1", port: 4317), isSecure: true)),
    ]) func `endpoints are read`(_ text: String, _ receiver: OTLPReceiver) throws {
        #expect(try OTLPOptions(environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": text]).receiver == receiver)
    }

    @Test func `an endpoint without a scheme may be told to be insecure`() throws {
        let environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "a:9", "OTEL_EXPORTER_OTLP_INSECURE": "true"]
        #expect(try OTLPOptions(environment: environment).receiver == OTLPReceiver(.host("a", port: 9)))
    }

    @Test(arguments: [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://hidden:99999"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://hidden@a"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[hidden"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hidden"), ("OTEL_EXPORTER_OTLP_HEADERS", "grpc-a=hidden"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=hidden%0A"), ("OTEL_EXPORTER_OTLP_HEADERS", "hidden"),
    ])
    func `an endpoint or headers that cannot be read are an error that names the variable and hides the value`(
        _ name: String, _ value: String
    ) throws {
        let error = try #require(throws: RPCError.self) { try OTLPOptions(environment: [name: value]) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains(name))
        #expect(!error.message.contains("hidden"))
    }

    @Test(arguments: [
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "hidden"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "hidden"), ("OTEL_EXPORTER_OTLP_METRICS_INSECURE", "1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "hidden"), ("OTEL_RESOURCE_ATTRIBUTES", "b=1,=hidden"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=hidden%2"), ("OTEL_RESOURCE_ATTRIBUTES", "a=hidden%zz"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=hidden%FF"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "hidden"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"), ("OTEL_METRIC_EXPORT_INTERVAL", "-1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "99999999999999999999"),
    ])
    func `other settings that cannot be read are ignored, with a warning that hides the value`(
        _ name: String, _ value: String
    ) throws {
        var warnings: [String] = []
        let environment = [name: value, "OTEL_EXPORTER_OTLP_ENDPOINT": "a:9"]
        let options = try OTLPOptions(environment: environment) { warnings.append($0) }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains(name) == true && warnings.first?.contains("ignored") == true)
        #expect(warnings.first?.contains("hidden") == false)
        #expect(options.resource.isEmpty && options.compression == nil)
        #expect((options.interval, options.timeout) == (.seconds(60), .seconds(10)))
        #expect(options.receiver == OTLPReceiver(.host("a", port: 9), isSecure: true))
    }

    @Test func `what is ignored leaves the rest as it was asked for`() throws {
        var warnings: [String] = []
        let options = try OTLPOptions(environment: [
            "OTEL_SERVICE_NAME": "users", "OTEL_RESOURCE_ATTRIBUTES": "a=1,b", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
            "OTEL_METRIC_EXPORT_INTERVAL": "5000", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        ]) { warnings.append($0) }
        #expect(warnings.count == 2)
        #expect(options.resource == ["service.name": "users"])
        #expect((options.interval, options.timeout) == (.seconds(5), .seconds(10)))
        #expect(options.compression == .gzip)
    }
}
