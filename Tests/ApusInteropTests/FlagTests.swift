// SPDX-License-Identifier: Apache-2.0

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
        #expect(flags["c"] == "")
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

    @Test func `the client's flags have the official names and defaults`() throws {
        let defaults = try ClientFlags([])
        #expect(defaults.host == "localhost")
        #expect(defaults.port == 8080)
        #expect(defaults.testCase.name == "large_unary")
        #expect(defaults.soak.iterations == 10)
        #expect(defaults.soak.overall == .seconds(10))
        let flags = try ClientFlags([
            "--server_host=h", "--server_port", "7", "--test_case=rpc_soak", "--use_tls=false",
            "--server_host_override=o", "--soak_iterations=5", "--soak_max_failures=1", "--soak_num_threads=3",
            "--soak_per_iteration_max_acceptable_latency_ms=2000", "--soak_min_time_ms_between_rpcs=4",
            "--soak_request_size=8", "--soak_response_size=9", "--soak_overall_timeout_seconds=60",
        ])
        #expect((flags.host, flags.port, flags.override) == ("h", 7, "o"))
        #expect(flags.testCase.name == "rpc_soak")
        let soak = flags.soak
        #expect((soak.iterations, soak.maximumFailures, soak.threads) == (5, 1, 3))
        #expect((soak.latency, soak.interval, soak.overall) == (.seconds(2), .milliseconds(4), .seconds(60)))
        #expect((soak.requestSize, soak.responseSize) == (8, 9))
    }

    @Test func `what is not there yet is refused`() {
        #expect(
            text { _ = try ClientFlags(["--use_tls=true", "--use_test_ca=true"]) }
                == "--use_test_ca true needs --ca_file: no test authority is built in")
        #expect(text { _ = try ClientFlags(["--use_tls=1"]) } == "--use_tls is true or false, not '1'")
        #expect(
            text { _ = try ClientFlags(["--test_case=server_compressed_unary"]) }
                == "the test case server_compressed_unary is not there yet")
        #expect(text { _ = try ClientFlags(["--test_case=x"]) }?.hasPrefix("unknown test case 'x': there are") == true)
    }
}
