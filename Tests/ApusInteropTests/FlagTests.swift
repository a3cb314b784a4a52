// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

struct FlagTests {
    private func text(_ body: () throws -> Void) -> String? {
        #expect(throws: FlagError.self) { try body() }?.description
    }

    @Test func `both spellings are read, and the last value counts`() throws {
        let flags = try CommandLineFlags(
            ["--a=1", "--b", "2", "--c=", "--b=x=y", "--d", "--e"], known: ["a", "b", "c", "d", "e"])
        #expect(flags["a"] == "1")
        #expect(flags["b"] == "x=y")
        #expect(flags["c"] == nil)
        #expect(flags["d"] == "--e")
        #expect(flags["e"] == nil)
    }

    @Test(arguments: [
        (["--x=1"], "unknown flag --x: there are --port"), (["--port"], "--port has no value"),
        (["port"], "'port' is no flag"), (["--"], "'--' is no flag"),
        (["--port=y"], "--port is 0 to 65535, not 'y'"), (["--port=65536"], "--port is 0 to 65535, not '65536'"),
        (["--port", "-1"], "--port is 0 to 65535, not '-1'"),
        (["--port=99999999999999999999"], "--port is 0 to 65535, not '99999999999999999999'"),
    ])
    func `what cannot be obeyed is told in one line`(_ arguments: [String], _ expected: String) {
        let text = text {
            _ = try CommandLineFlags(arguments, known: ["port"]).integer("port", default: 0, in: 0...65535)
        }
        #expect(text == expected)
    }

    @Test(arguments: [
        (["--on"], true), (["--on=true"], true), (["--on", "true"], true), (["--on=1"], true), (["--on", "T"], true),
        (["--on=false"], false), (["--on", "False"], false), (["--on=0"], false), ([], false),
        (["--on", "--port=1"], true), (["--on", "--on=false"], false),
    ])
    func `a switch needs no value`(_ arguments: [String], _ expected: Bool) throws {
        let flags = try CommandLineFlags(arguments, known: ["port"], switches: ["on"])
        #expect(try flags.truth("on") == expected)
    }

    @Test func `the client's flags have the official names and defaults`() throws {
        let defaults = try ClientFlags([])
        #expect(defaults.host == "localhost")
        #expect(defaults.port == 8080)
        #expect(defaults.override == nil && defaults.tls == nil && defaults.metadata.isEmpty)
        #expect(defaults.testCase.name == "large_unary")
        #expect(defaults.soak.iterations == 10)
        #expect(defaults.soak.overall == .seconds(10))
        let flags = try ClientFlags([
            "--server_host=h", "--server_port", "7", "--test_case=rpc_soak", "--use_tls=false", "--use_test_ca=false",
            "--server_host_override=o", "--soak_iterations=6", "--soak_max_failures=1", "--soak_num_threads=3",
            "--soak_per_iteration_max_acceptable_latency_ms=2000", "--soak_min_time_ms_between_rpcs=4",
            "--soak_request_size=8", "--soak_response_size=9", "--soak_overall_timeout_seconds=60",
            "--default_service_account=", "--oauth_scope=s", "--service_account_key_file=f", "--use_alts=false",
            "--custom_credentials_type=", "--service_config_json", "",
        ])
        #expect((flags.host, flags.port, flags.override) == ("h", 7, "o"))
        #expect(flags.testCase.name == "rpc_soak")
        let soak = flags.soak
        #expect((soak.iterations, soak.maximumFailures, soak.threads) == (6, 1, 3))
        #expect((soak.latency, soak.interval, soak.overall) == (.seconds(2), .milliseconds(4), .seconds(60)))
        #expect((soak.requestSize, soak.responseSize) == (8, 9))
    }

    @Test func `TLS trusts the given file and claims the given name`() throws {
        let flags = try ClientFlags([
            "--use_tls", "--use_test_ca=true", "--ca_file", "roots.pem", "--server_host_override=o",
        ])
        #expect(flags.tls?.roots == .file("roots.pem"))
        #expect(flags.tls?.serverName == "o")
        let plain = try ClientFlags(["--use_tls", "--ca_file=", "--server_host_override="])
        #expect(plain.tls?.roots == .system)
        #expect(plain.tls?.serverName == nil)
    }

    @Test func `additional metadata is pairs between semicolons`() throws {
        let flags = try ClientFlags(["--additional_metadata=a:1;B:x:y z;c-bin:raw;a:;"])
        #expect(flags.metadata.values(of: "a") == ["1", ""])
        #expect(flags.metadata["b"] == "x:y z")
        #expect(flags.metadata[binary: "c-bin"] == Array("raw".utf8))
        #expect(flags.metadata.entries.count == 4)
    }

    @Test(arguments: [
        (
            ["--use_tls=true", "--use_test_ca=true"],
            "--use_test_ca true needs --ca_file: no test authority is built in"
        ),
        (["--use_tls=maybe"], "--use_tls is true or false, not 'maybe'"),
        (
            ["--custom_credentials_type=google_default_credentials"],
            "--custom_credentials_type is not supported: there is --use_tls alone"
        ),
        (
            ["--custom_credentials_type", "compute_engine_channel_creds"],
            "--custom_credentials_type is not supported: there is --use_tls alone"
        ),
        (["--use_alts"], "--use_alts is not supported: there is --use_tls alone"),
        (["--service_config_json={}"], "--service_config_json is not supported: this channel reads no service config"),
        (
            ["--test_case=jwt_token_creds"],
            "the test case jwt_token_creds needs credentials of Google's cloud, which this client does not have"
        ),
        (
            ["--additional_metadata=a:1;b"],
            "--additional_metadata is key:value pairs with ';' between them, not 'a:1;b'"
        ),
        (
            ["--soak_iterations=10", "--soak_num_threads=3"],
            "--soak_iterations is a multiple of --soak_num_threads, not 10 for 3"
        ),
    ])
    func `what is not there is refused`(_ arguments: [String], _ expected: String) {
        #expect(text { _ = try ClientFlags(arguments) } == expected)
    }

    @Test func `an unknown case is told with those that are known`() {
        let text = text { _ = try ClientFlags(["--test_case=x"]) }
        #expect(text?.hasPrefix("unknown test case 'x': there are empty_unary, ") == true)
    }

    @Test func `an error is one line, whatever a server says`() {
        #expect(InteropProgram.oneLine("a\nb\r\nc\td") == "a b c\td")
    }
}
