"""A proxyless client over C-core: for each line that it reads it makes one call to the xDS target that its argument
names, and prints who answered or why nobody did. At the end of its input it closes its channel."""

import sys
import time

import grpc

CALL_TIMEOUT_S = 2
# The library closes its management stream a moment after the last channel is gone, and does not tell when.
FAREWELL_S = 10


def ask(call):
    try:
        # A google.protobuf.StringValue: one byte of tag, one of length, the text.
        return "answer " + call(b"", timeout=CALL_TIMEOUT_S)[2:].decode()
    except grpc.RpcError as error:
        return "error " + " ".join(error.details().split())


channel = grpc.insecure_channel(sys.argv[1])
call = channel.unary_unary("/fairlead.test.Who/Ask")
for _ in sys.stdin:
    print(ask(call), flush=True)
channel.close()
time.sleep(FAREWELL_S)
