// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation
import LoadFigures
import Schemas

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Call a method again and again, and tell how long the calls took.",
        discussion: """
            Without --rate the loop is closed: -c lanes each make one call after the
            other. With --rate it is open: calls are due at fixed times, however slow
            the server is, and their latency counts from the moment at which they were
            due, so that a stall is charged for all calls that it held up.

            \u{20} apus load :50051 bench.Echo/Echo -d '{"text": "hi"}' -c 64
            \u{20} apus load :50051 bench.Echo/Echo -d @echo.json --rate 2000 --ramp 5s
            \u{20} apus load :50051 bench.Echo/Echo --rate 500 --duration 1m \\
            \u{20}     --warm-up 5s --json run.json --svg run.svg

            Several messages in -d are sent in turn. Ctrl-C ends the run early, with
            its report. The exit status is 0 when a call succeeded, else that of the
            error that was the most frequent.
            """)

    @Argument(help: ArgumentHelp("The server.", valueName: "address")) var address: String
    @Argument(help: ArgumentHelp("The method, as Package.Service/Method.", valueName: "method")) var method: String
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The request as JSON, or @file; several messages follow one another.", valueName: "json"))
    var data = "{}"
    @Option(name: .shortAndLong, help: "Calls at once: 16 unless told; at most 512 with --rate.") var concurrency: Int?
    @Option(help: ArgumentHelp("Calls a second, however long they take.", valueName: "calls")) var rate: Double?
    @Option(help: "Connections to the server.") var connections = 1
    @Option(help: ArgumentHelp("The time that is measured.", valueName: "time"))
    var duration = TimeArgument(.seconds(10))
    @Option(help: ArgumentHelp("The time before, which is not measured.", valueName: "time"))
    var warmUp = TimeArgument(.zero)
    @Option(help: ArgumentHelp("The time in which rate or concurrency grow from 0.", valueName: "time"))
    var ramp = TimeArgument(.zero)
    @Option(help: ArgumentHelp("Write the report as JSON; - for the standard output.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Draw the latencies.", valueName: "file")) var svg: String?
    @OptionGroup var call: CallArguments
    @OptionGroup var schema: SchemaArguments
    @OptionGroup var connection: ConnectionArguments

    func validate() throws {
        guard (1...1024).contains(connections) else { throw ValidationError("--connections is 1 to 1024.") }
        guard (1...100_000).contains(concurrency ?? 1) else { throw ValidationError("-c is 1 to 100000.") }
        guard rate.map({ $0 > 0 && $0 <= 1e7 }) ?? true else { throw ValidationError("--rate is above 0, up to 1e7.") }
        guard duration.duration > .zero else { throw ValidationError("--duration is above 0.") }
    }

    var plan: LoadPlan {
        LoadPlan(
            lanes: concurrency ?? (rate == nil ? 16 : 512), rate: rate, ramp: ramp.duration, warmUp: warmUp.duration,
            duration: duration.duration)
    }

    func run() async throws {
        let output = StandardOutput()
        let channels = try (0..<connections).map { _ in try connection.channel(to: address) }
        defer { for channel in channels { channel.close() } }
        let options = call.options(standard: .seconds(10))
        let known = try await schema.schema(ofMethod: method, from: channels[0], options)
        let method = try known.method(method)
        let calls = try await LoadCalls(
            method, channels, options, requests: requests(method, MessageTexts(known.pool.types)))
        let run = LoadRun(plan: plan, calls: calls, clock: SystemClock())
        let interruption = Interruption { run.stop() }
        let progress = json == "-" ? nil : LoadProgress.onTerminal(run, output)
        let tally = await run.run()
        await progress?.end()
        interruption.end()
        try report(RunReport(method: method.descriptor, address: address, plan: plan, connections, tally, run), output)
        if tally.latency.count == 0 { throw ExitCode(Self.status(of: tally)) }
    }

    private func requests(_ method: Schema.CallableMethod, _ texts: MessageTexts) async throws -> [MessageBytes] {
        let source = try RequestTexts(data)
        var requests: [MessageBytes] = []
        while let text = try await source.next() {
            guard requests.count < 100_000 else { throw Mistake("more than 100,000 messages") }
            requests.append(try texts.message(method.request, json: text))
        }
        guard !requests.isEmpty else { throw Mistake("there is no message to send: write one into -d") }
        return requests
    }

    private func report(_ report: RunReport, _ output: StandardOutput) throws {
        if json != "-" { for line in report.lines(width: min(Screen.width, 100)) { output.print(line) } }
        if let json { json == "-" ? output.print(report.json) : try Self.write(report.json + "\n", to: json) }
        if let svg { try Self.write(report.svg, to: svg) }
    }

    private static func write(_ text: String, to path: String) throws(Mistake) {
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw Mistake("\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    static func status(of tally: LoadTally) -> Int32 {
        let name = tally.failures.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        return Int32(Status.Code.allCases.first { $0.name == name }?.rawValue ?? Status.Code.unknown.rawValue)
    }
}
