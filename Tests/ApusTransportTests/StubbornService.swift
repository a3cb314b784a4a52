// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Handlers that do not notice that they were cancelled, until a test lets them go.
struct StubbornService: Service {
    private static let hold = BytesMethod(service: "test.Stubborn", name: "Hold", kind: .unary)

    let letGo = Gate()
    private let stubbornness: Task<Void, Never>

    init() { stubbornness = Task { [letGo] in _ = try? await letGo.wait() } }

    var routes: [Route] {
        [
            .unary(Self.hold) { request, _ in
                await stubbornness.value
                return request
            }
        ]
    }
}
