import { type Backend, Backend_State } from "../gen/fairlead/admin/v1/backend_pb.ts";

/** Lets a backend keep its place in the lifecycle, which only draining changes; a new one is active. */
export function keepState(before: Backend | undefined): (draft: Backend) => boolean {
  return (draft) => {
    draft.state = before?.state ?? Backend_State.ACTIVE;
    if (before?.drainTime !== undefined) draft.drainTime = before.drainTime;
    return false;
  };
}
