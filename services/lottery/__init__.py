"""The lottery (抽選): entries without people, a draw that anyone can recompute, and its transcript."""
