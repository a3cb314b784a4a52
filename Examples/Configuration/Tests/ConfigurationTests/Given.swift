// SPDX-License-Identifier: Apache-2.0

import ApusConfiguration
import Configuration
import Foundation

/// A provider in memory.
func memory(_ values: [String: ConfigValue]) -> InMemoryProvider {
    InMemoryProvider(
        name: "given",
        values: Dictionary(uniqueKeysWithValues: values.map { (AbsoluteConfigKey(ConfigKey($0.key)), $0.value) }))
}

func settings(_ values: [String: ConfigValue]) -> Settings { Settings(providers: [memory(values)]) }

/// A file that is gone when the work is done.
func withFile<Result>(_ text: String, _ body: (String) async throws -> Result) async throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID()).json").path
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// What was thrown.
func problems(_ body: () throws -> Void) -> [String] {
    do {
        try body()
        return []
    } catch let error as SettingsError {
        return error.problems.map(\.description)
    } catch {
        return ["\(error)"]
    }
}
