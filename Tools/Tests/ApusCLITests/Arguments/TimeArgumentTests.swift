// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct TimeArgumentTests {
    @Test(arguments: [
        ("2s", Duration.seconds(2)), ("500ms", .milliseconds(500)), ("250us", .microseconds(250)),
        ("1.5m", .seconds(90)),
        ("1h", .seconds(3600)), ("3", .seconds(3)), ("0", .zero),
    ])
    func `a number and a unit are a time`(text: String, duration: Duration) {
        #expect(TimeArgument(argument: text)?.duration == duration)
    }

    @Test(arguments: ["", "s", "-1s", "2 s", "1d", "1e9h", "nan", "inf", "1.2.3s", "٣s", "99999999999999999999h"])
    func `anything else is none`(text: String) { #expect(TimeArgument(argument: text) == nil) }
}
