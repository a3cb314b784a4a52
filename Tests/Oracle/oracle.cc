// SPDX-License-Identifier: Apache-2.0

// Google's C++ protobuf as a judge: reads questions from one file and writes an answer for each to another.
//
// A question is one letter (what to do), the full name of a message type and the message's bytes, the last two each
// behind their length in four little-endian bytes. An answer is one byte (1: accepted) and the result's bytes.
//   b  binary in, binary out, deterministic     j  binary in, JSON out     J  JSON in, binary out     t  text out

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "test/everything.pb.h"
#include "test/legacy.pb.h"

namespace pb = google::protobuf;

namespace {

std::string deterministic(const pb::Message& message) {
  std::string bytes;
  {
    pb::io::StringOutputStream stream(&bytes);
    pb::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&output);
  }
  return bytes;
}

bool answer(char what, const std::string& type, const std::string& input, std::string* output) {
  const pb::Descriptor* descriptor = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) {
    std::cerr << "no type " << type << "\n";
    std::exit(1);
  }
  std::unique_ptr<pb::Message> message(
      pb::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  if (what == 'J') {
    if (!pb::util::JsonStringToMessage(input, message.get()).ok()) return false;
  } else if (!message->ParseFromString(input)) {
    return false;
  }
  if (what == 'j') return pb::util::MessageToJsonString(*message, output).ok();
  if (what == 't') return pb::TextFormat::PrintToString(*message, output);
  *output = deterministic(*message);
  return true;
}

std::string take(const std::string& bytes, size_t* at) {
  uint32_t size = 0;
  for (int i = 0; i < 4; i++) size |= uint32_t(uint8_t(bytes[*at + i])) << (8 * i);
  *at += 4 + size;
  return bytes.substr(*at - size, size);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
#if GOOGLE_PROTOBUF_VERSION < 4000000
  pb::LogSilencer silence;
#endif
  // Without these the linker would drop the types.
  pb::LinkMessageReflection<test::everything::Scalars>();
  pb::LinkMessageReflection<test::legacy::Defaults>();
  std::ifstream in(arguments[1], std::ios::binary);
  std::string questions((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::ofstream out(arguments[2], std::ios::binary);
  for (size_t at = 0; at < questions.size();) {
    char what = questions[at++];
    std::string type = take(questions, &at);
    std::string input = take(questions, &at);
    std::string output;
    bool accepted = answer(what, type, input, &output);
    if (!accepted) output.clear();
    out.put(accepted ? 1 : 0);
    for (int i = 0; i < 4; i++) out.put(char(output.size() >> (8 * i) & 0xFF));
    out.write(output.data(), std::streamsize(output.size()));
  }
  return out.good() ? 0 : 1;
}
