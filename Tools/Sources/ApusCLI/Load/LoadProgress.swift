// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import LoadFigures

/// A line at the foot of the terminal that tells how a run goes on.
struct LoadProgress {
    private let task: Task<Void, Never>

    /// The line of a run, twice a second; nil where nobody looks.
    static func onTerminal(_ run: LoadRun, _ output: StandardOutput) -> LoadProgress? {
        guard Screen.isTerminal else { return nil }
        return LoadProgress(
            task: Task.detached {
                var last = LoadTally()
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(500))
                    let tally = run.tally
                    let line = text(run.plan, elapsed: run.elapsed, tally, since: last, step: .milliseconds(500))
                    output.paint(String(line.prefix(Screen.width - 1)))
                    last = tally
                }
                output.paint("")
            })
    }

    /// Takes the line away.
    func end() async {
        task.cancel()
        await task.value
    }

    /// `  6.5 s of 30.0 s  12,871 calls  2,001/s  p50 341 µs  p99 2.10 ms  0 failed`
    static func text(
        _ plan: LoadPlan, elapsed: Duration, _ tally: LoadTally, since last: LoadTally, step: Duration
    ) -> String {
        let time = "\(seconds(min(elapsed, plan.end))) of \(seconds(plan.end))"
        guard elapsed >= plan.warmUp else { return "  \(time)  warming up" }
        let rate = Double(tally.calls - last.calls) / (step / .seconds(1))
        let parts = [
            time, "\(Figures.count(tally.calls)) calls", "\(Figures.count(Int(rate)))/s",
            "p50 \(Figures.time(tally.latency.percentile(0.5) ?? .zero))",
            "p99 \(Figures.time(tally.latency.percentile(0.99) ?? .zero))", "\(Figures.count(tally.failed)) failed",
        ]
        return "  " + parts.joined(separator: "  ")
    }

    private static func seconds(_ duration: Duration) -> String { String(format: "%.1f s", duration / .seconds(1)) }
}

extension StandardOutput {
    /// Replaces the terminal's last line.
    func paint(_ line: String) { Self.write("\r\u{1B}[K\(line)") }
}
